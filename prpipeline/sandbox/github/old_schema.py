"""What an old server's schema lacks: its errors about the fields that a query asks for all the same."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from graphql import DocumentNode, FieldNode, GraphQLSchema, TypeInfo, TypeInfoVisitor, Visitor, visit


def unknown_to(
    unknown_fields: Collection[str], schema: GraphQLSchema, document: DocumentNode
) -> list[dict[str, Any]]:
    """GitHub's errors for each use of one of these fields ("Type.field"); no error where there is none."""
    if not unknown_fields:
        return []
    info = TypeInfo(schema)
    finder = _Finder(info, unknown_fields)
    visit(document, TypeInfoVisitor(info, finder))
    return finder.errors


class _Finder(Visitor):
    def __init__(self, info: TypeInfo, unknown_fields: Collection[str]) -> None:
        super().__init__()
        self.errors: list[dict[str, Any]] = []
        self._info = info
        self._unknown = unknown_fields

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent = self._info.get_parent_type()
        name = node.name.value
        if parent is None or f"{parent.name}.{name}" not in self._unknown:
            return
        place = node.loc.start_token if node.loc else None
        self.errors.append(
            {
                "path": [f"fragment {parent.name}Fields", name],
                "extensions": {"code": "undefinedField", "typeName": parent.name, "fieldName": name},
                "locations": [{"line": place.line, "column": place.column}] if place else [],
                "message": f"Field '{name}' doesn't exist on type '{parent.name}'",
            }
        )
