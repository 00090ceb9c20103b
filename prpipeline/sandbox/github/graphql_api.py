"""GraphQL as GitHub answers it: status 200 almost always, errors typed and with a path, cost by its formula."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionContext,
    FieldNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    parse,
    validate,
)
from graphql.pyutils import Path

from prpipeline.sandbox.github.cost import Calculator, Cost
from prpipeline.sandbox.github.limits import Credential
from prpipeline.sandbox.github.old_schema import unknown_to
from prpipeline.sandbox.github.readers import type_name
from prpipeline.sandbox.github.resolvers import attach, plain_leaves
from prpipeline.sandbox.github.visibility import FieldError, QueryContext
from prpipeline.sandbox.github.world import World
from prpipeline.sandbox.messages import ApiError, Request, Response


@cache
def schema() -> GraphQLSchema:
    """The sandbox's part of GitHub's schema, from all `.graphql` files here, ready to execute."""
    parts = (part for part in files(__package__).iterdir() if part.name.endswith(".graphql"))
    built = build_schema("\n".join(part.read_text("utf-8") for part in parts))
    attach(built)
    return built


@lru_cache(maxsize=1000)
def _prepare(text: str) -> DocumentNode | list[dict[str, Any]]:
    """The checked document, or GitHub's errors about it."""
    try:
        document = parse(text)
    except GraphQLError as error:
        return [{"message": error.message, "locations": _locations(error)}]
    problems = validate(schema(), document)
    if problems:
        return [
            {"path": ["query"], "locations": _locations(problem), "message": problem.message}
            for problem in problems
        ]
    return document


class _Execution(ExecutionContext):
    """Reads plain fields directly: graphql-core's work for each of them is most of the time of a query."""

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        fields: dict[str, list[FieldNode]],
    ) -> dict[str, Any]:
        """The fields of one object."""
        plain = plain_leaves(parent_type)
        results: dict[str, Any] = {}
        for name, nodes in fields.items():
            read = plain.get(nodes[0].name.value)
            if read:
                results[name] = read(source_value)
            else:
                results[name] = self.execute_field(
                    parent_type, source_value, nodes, Path(path, name, parent_type.name)
                )
        return results


class GraphQLApi:
    """Executes queries against a world."""

    def __init__(
        self, world: World, has_rate_limits: bool = True, unknown_fields: Collection[str] = ()
    ) -> None:
        self.world = world
        self._has_rate_limits = has_rate_limits
        self._unknown_fields = frozenset(unknown_fields)

    def respond(self, request: Request, credential: Credential) -> Response:
        """The answer to a POST to /graphql by an accepted credential."""
        body = request.json
        if not isinstance(body, dict):
            raise ApiError(400, "Problems parsing JSON")
        text = body.get("query")
        if not isinstance(text, str) or not text.strip():
            return self._plain([{"message": "A query attribute must be specified and must be a string."}])
        now = self.world.clock.now()
        budget = credential.graphql
        budget.roll(now)
        if budget.remaining <= 0:
            message = f"API rate limit already exceeded for user {credential.login}."
            error = {"type": "RATE_LIMITED", "code": "graphql_rate_limit", "message": message}
            return Response.of_json({"errors": [error]})
        document = _prepare(text)
        if isinstance(document, list):
            return self._plain(document)
        if unknown := unknown_to(self._unknown_fields, schema(), document):
            return self._plain(unknown)
        operation = _operation(document, body.get("operationName"))
        if operation is None:
            return self._plain([{"message": "No operation named " + str(body.get("operationName"))}])
        cost = Calculator(schema(), document, request.variables).of(operation)
        request.points = cost.points
        if cost.errors:
            return self._plain(cost.errors, data=None)
        budget.spend(cost.points, now)
        result = self._execute(request, document, credential, cost, now)
        return Response(200, b"", {"Content-Type": "application/json; charset=utf-8"}, result)

    def _execute(
        self, request: Request, document: DocumentNode, credential: Credential, cost: Cost, now: datetime
    ) -> dict[str, Any]:
        budget = credential.graphql
        rate_limit = {
            "cost": cost.points,
            "limit": budget.limit,
            "nodeCount": cost.nodes,
            "remaining": budget.remaining,
            "resetAt": datetime.fromtimestamp(budget.reset_epoch(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "used": budget.used,
        }
        body = request.json
        executed = execute_sync(
            schema(),
            document,
            context_value=QueryContext(self.world, credential, rate_limit if self._has_rate_limits else None),
            variable_values=request.variables,
            operation_name=body.get("operationName"),
            type_resolver=lambda source, _info, _type: type_name(source),
            execution_context_class=_Execution,
        )
        for error in executed.errors or ():
            # Any other error is a bug of the sandbox, not an answer of GitHub's.
            if error.original_error and not isinstance(error.original_error, FieldError | GraphQLError):
                raise error.original_error
        result: dict[str, Any] = {"data": executed.data}
        if executed.errors:
            result["errors"] = [_error(error) for error in executed.errors]
        return result

    def _plain(self, errors: list[dict[str, Any]], **more: Any) -> Response:
        return Response.of_json({**more, "errors": errors})


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if name is None:
        return operations[0] if len(operations) == 1 else None
    return next((o for o in operations if o.name and o.name.value == name), None)


def _locations(error: GraphQLError) -> list[dict[str, int]]:
    return [{"line": place.line, "column": place.column} for place in error.locations or ()]


def _error(error: GraphQLError) -> dict[str, Any]:
    formatted: dict[str, Any] = {}
    cause = error.original_error
    if isinstance(cause, FieldError):
        formatted["type"] = cause.type
    if error.path:
        formatted["path"] = error.path
    if isinstance(cause, FieldError) and cause.extensions:
        formatted["extensions"] = cause.extensions
    return formatted | {"locations": _locations(error), "message": error.message}
