"""What a GraphQL query costs by GitHub's formula, and whether its shape is allowed. Executes nothing.

A connection counts as one request for each parent that it could have, if every `first` above it were full.
Connections that are queried for `totalCount` only are free and need no `first`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    value_from_ast_untyped,
)

MAXIMUM_PAGE = 100
MAXIMUM_IDS = 100
MAXIMUM_NODES = 500_000


@dataclass
class Cost:
    """The price of a query."""

    requests: int = 0
    nodes: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def points(self) -> int:
        """A hundredth of the requests, rounded, at least one."""
        return max(1, (self.requests + 50) // 100)


class Calculator:
    """Walks an operation with its variables."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any]) -> None:
        self.schema = schema
        self.variables = variables
        self.fragments = {
            d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
        }
        self.cost = Cost()

    def of(self, operation: OperationDefinitionNode) -> Cost:
        """The cost of the operation."""
        defaults = {
            d.variable.name.value: value_from_ast_untyped(d.default_value)
            for d in operation.variable_definitions
            if d.default_value
        }
        self.variables = defaults | self.variables
        root = self.schema.query_type
        assert root is not None
        self._walk(operation.selection_set, root, 1, ["query"])
        if self.cost.nodes > MAXIMUM_NODES:
            self.cost.errors.append(
                {
                    "type": "MAX_NODE_LIMIT_EXCEEDED",
                    "message": f"This query requests up to {self.cost.nodes:,} possible nodes which exceeds "
                    f"the maximum limit of {MAXIMUM_NODES:,}.",
                }
            )
        return self.cost

    def _walk(
        self, selections: SelectionSetNode | None, parent: GraphQLNamedType, times: int, path: list[str]
    ) -> None:
        for node, type_ in self._fields(selections, parent):
            name = node.name.value
            # Only __typename is not among the fields.
            if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) or name not in type_.fields:
                continue
            target = cast(GraphQLNamedType, get_named_type(type_.fields[name].type))
            arguments = {
                a.name.value: value_from_ast_untyped(a.value, self.variables) for a in node.arguments
            }
            here = [*path, node.alias.value if node.alias else name]
            below = times
            if target.name.endswith("Connection"):
                below = times * self._connection(node, target, arguments, times, here)
            elif name == "nodes" and type_ is self.schema.query_type:
                below = times * self._ids(node, arguments, here)
            self._walk(node.selection_set, target, below, here)

    def _connection(
        self, node: FieldNode, type_: GraphQLNamedType, arguments: dict[str, Any], times: int, path: list[str]
    ) -> int:
        name = node.name.value
        size, side = arguments.get("first"), "first"
        if size is None:
            size, side = arguments.get("last"), "last"
        if not isinstance(size, int):
            if size is None and {f.name.value for f, _ in self._fields(node.selection_set, type_)} & {
                "nodes",
                "edges",
                "pageInfo",
            }:
                self._error(
                    node,
                    path,
                    "MISSING_PAGINATION_BOUNDARIES",
                    f"You must provide a `first` or `last` value to properly paginate the `{name}` connection.",
                )
            return 1
        if size > MAXIMUM_PAGE:
            self._error(
                node,
                path,
                "EXCESSIVE_PAGINATION",
                f"Requesting {size} records on the `{name}` connection exceeds the `{side}` limit of "
                f"{MAXIMUM_PAGE} records.",
            )
        elif size < 1:
            self._error(
                node, path, "ARGUMENT_LIMIT", f"`{side}` on the `{name}` connection must be positive."
            )
        self.cost.requests += times
        self.cost.nodes += times * size
        return int(size)

    def _ids(self, node: FieldNode, arguments: dict[str, Any], path: list[str]) -> int:
        ids = arguments.get("ids")
        count = len(ids) if isinstance(ids, list) else 1
        if count > MAXIMUM_IDS:
            message = f"You may not provide more than {MAXIMUM_IDS} node ids; you provided {count}."
            self._error(node, path, "ARGUMENT_LIMIT", message)
        return count

    def _fields(
        self, selections: SelectionSetNode | None, parent: GraphQLNamedType
    ) -> Iterator[tuple[FieldNode, GraphQLNamedType]]:
        for selection in selections.selections if selections else ():
            if not self._included(selection):
                continue
            if isinstance(selection, FieldNode):
                yield selection, parent
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                yield from self._fields(
                    selection.selection_set,
                    self.schema.type_map[condition.name.value] if condition else parent,
                )
            elif isinstance(selection, FragmentSpreadNode):
                fragment = self.fragments[selection.name.value]
                yield from self._fields(
                    fragment.selection_set, self.schema.type_map[fragment.type_condition.name.value]
                )

    def _included(self, selection: Any) -> bool:
        for directive in selection.directives:
            value = value_from_ast_untyped(directive.arguments[0].value, self.variables)
            if bool(value) == (directive.name.value == "skip"):
                return False
        return True

    def _error(self, node: FieldNode, path: list[str], type_: str, message: str) -> None:
        assert node.loc is not None
        line = node.loc.source.get_location(node.loc.start)
        self.cost.errors.append(
            {
                "type": type_,
                "path": path,
                "locations": [{"line": line.line, "column": line.column}],
                "message": message,
            }
        )
