"""Rate limits, concurrency, Apps, and the server as a whole."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import requests

from prpipeline.sandbox.github import App, Credential, Installation, ManualClock, Sandbox, World
from prpipeline_tests.support.github_client import Client


def test_points_run_out_and_are_renewed(server: Sandbox, clock: ManualClock) -> None:
    server.add_token(Credential("poor", graphql_limit=2))
    client = Client(server, "poor")
    client.pulls()
    client.pulls()
    refused = client.post("{ viewer { login } }")
    assert (refused.status_code, refused.json()["errors"][0]["type"]) == (200, "RATE_LIMITED")
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert client.get("/repos/octo/app").status_code == 200, "REST has a budget of its own"
    clock.advance(timedelta(seconds=int(refused.headers["X-RateLimit-Reset"]) - clock.now().timestamp()))
    assert client.pulls()["data"]["rateLimit"]["used"] == 1


def test_requests_without_a_token_are_60_an_hour(server: Sandbox) -> None:
    nobody = Client(server, None)
    answers = [nobody.get("/repos/octo/app") for _ in range(61)]
    assert [a.status_code for a in answers] == [200] * 60 + [403]
    assert answers[-1].headers["X-RateLimit-Remaining"] == "0"
    assert "rate limit exceeded" in answers[-1].json()["message"]


def test_each_token_has_its_own_limit(server: Sandbox) -> None:
    server.add_token(Credential("second", login="second"))
    Client(server).pulls()
    assert Client(server, "second").pulls()["data"]["rateLimit"]["used"] == 1


@pytest.mark.parametrize("path", ["/repos/octo/app", "/nonsense", "/user", "/repos/octo/app/pulls/99"])
def test_every_answer_has_the_rate_limit_headers(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-RateLimit-Resource"] == "core"
    assert int(headers["X-RateLimit-Limit"]) - int(headers["X-RateLimit-Used"]) == int(
        headers["X-RateLimit-Remaining"]
    )


def test_a_revoked_token_is_bad(client: Client, server: Sandbox) -> None:
    assert client.get("/user").status_code == 200
    server.revoke_token("sandbox-token")
    assert client.get("/user").status_code == 401


def ask_at_once(server: Sandbox, clients: list[Client]) -> list[int]:
    together, statuses = threading.Barrier(len(clients)), []

    def ask(client: Client) -> None:
        together.wait()
        statuses.append(client.get("/repos/octo/app").status_code)

    threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(statuses)


def test_concurrency_is_seen_per_token(world: World) -> None:
    with Sandbox(world, tokens=["one", "two"], latency=0.1) as server:
        ask_at_once(server, [Client(server, "one"), Client(server, "two")])
        assert server.max_in_flight == 1
        ask_at_once(server, [Client(server, "one"), Client(server, "one")])
        assert server.max_in_flight == 2
        assert server.max_in_flight_by_token == {"one": 2, "two": 1}


def test_one_after_the_other_is_never_two_at_once(server: Sandbox) -> None:
    for _ in range(30):
        Client(server).get("/repos/octo/app")
    assert server.max_in_flight == 1


def test_too_many_at_once_are_refused(world: World) -> None:
    with Sandbox(world, latency=0.1, secondary_limit=1) as server:
        assert ask_at_once(server, [Client(server), Client(server)]) == [200, 403]


def test_a_stopped_server_refuses_and_comes_back_on_its_port(client: Client, server: Sandbox) -> None:
    assert client.get("/repos/octo/app").status_code == 200
    server.stop()
    with pytest.raises(requests.ConnectionError):
        client.get("/repos/octo/app")
    server.start()
    assert client.get("/repos/octo/app").status_code == 200


def test_it_runs_as_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "prpipeline.sandbox.github", "--token", "secret", "--repositories", "2"]
    with subprocess.Popen([*command, "--pull-requests", "3"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            url = process.stdout.readline().strip()
            answer = requests.get(
                f"{url}/repos/bulk/repository-2/pulls?state=all",
                headers={"Authorization": "Bearer secret"},
                timeout=10,
            )
            assert len(answer.json()) == 3
        finally:
            process.terminate()


# Apps. The key is a toy: two fixed primes, so that a JWT can be signed here with nothing but integers.

PRIMES = (2**521 - 1, 2**607 - 1)
MODULUS = PRIMES[0] * PRIMES[1]
SECRET = pow(65537, -1, (PRIMES[0] - 1) * (PRIMES[1] - 1))
PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")

Signer = Callable[..., str]


def der(tag: int, content: bytes) -> bytes:
    size = len(content).to_bytes(4, "big")
    return bytes([tag, 0x84]) + size + content


def public_key() -> str:
    numbers = [n.to_bytes(n.bit_length() // 8 + 1, "big") for n in (MODULUS, 65537)]
    body = der(0x30, b"".join(der(0x02, n) for n in numbers))
    return (
        f"-----BEGIN RSA PUBLIC KEY-----\n{base64.b64encode(body).decode()}\n-----END RSA PUBLIC KEY-----\n"
    )


@pytest.fixture
def signed(clock: ManualClock) -> Signer:
    def sign(issued: int = -60, expires: int = 540, issuer: str = "7", secret: int = SECRET) -> str:
        now = int(clock.now().timestamp())

        def part(data: bytes) -> str:
            return base64.urlsafe_b64encode(data).decode().rstrip("=")

        claims = {"iat": now + issued, "exp": now + expires, "iss": issuer}
        text = part(b'{"alg":"RS256","typ":"JWT"}') + "." + part(json.dumps(claims).encode())
        size = (MODULUS.bit_length() + 7) // 8
        padded = b"\0\1" + b"\xff" * (size - 54) + b"\0" + PREFIX + hashlib.sha256(text.encode()).digest()
        signature = pow(int.from_bytes(padded, "big"), secret, MODULUS).to_bytes(size, "big")
        return f"{text}.{part(signature)}"

    return sign


@pytest.fixture
def app(server: Sandbox) -> App:
    app = App(7, public_key(), installations=[Installation(70, "octo", repositories=["octo/app"])])
    server.apps.append(app)
    return app


def test_an_app_gets_a_token_for_an_hour(
    server: Sandbox, app: App, signed: Signer, clock: ManualClock, world: World
) -> None:
    world.add_repository("octo/other", private=True)
    asking = Client(server, signed(issuer=app.client_id))
    assert asking.get("/app").json()["id"] == 7
    installation = asking.get("/repos/octo/app/installation").json()["id"]
    path = f"{server.url}/app/installations/{installation}/access_tokens"
    created = asking.session.post(path, timeout=5)
    assert created.status_code == 201
    client = Client(server, created.json()["token"])
    granted = client.get("/installation/repositories").json()
    assert [r["full_name"] for r in granted["repositories"]] == ["octo/app"]
    assert client.get("/repos/octo/other").status_code == 404
    assert client.pulls()["data"]["rateLimit"]["used"] == 1
    again = Client(server, asking.session.post(path, timeout=5).json()["token"])
    assert again.pulls()["data"]["rateLimit"]["used"] == 2, "an installation has one budget"
    clock.advance(timedelta(hours=1))
    assert client.get("/repos/octo/app").status_code == 401


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"expires": 601}, 401),
        ({"expires": -1}, 401),
        ({"issued": 30}, 401),
        ({"secret": SECRET + 2}, 401),
        ({"issuer": "8"}, 404),
    ],
)
@pytest.mark.usefixtures("app")
def test_a_jwt_must_be_right(server: Sandbox, signed: Signer, claims: dict[str, int], status: int) -> None:
    assert Client(server, signed(**claims)).get("/app").status_code == status


@pytest.mark.usefixtures("app")
def test_a_plain_token_is_not_a_jwt(client: Client) -> None:
    assert client.get("/app/installations").status_code == 401
