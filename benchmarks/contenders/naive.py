"""The simplest script: list the pull requests, then request the reviews of each; with --detail each pull request too."""

from __future__ import annotations

import sys
from typing import Any

import duckdb
import requests
from measuring import Measured


def main() -> None:
    url, folder, detail = sys.argv[1], sys.argv[2], "--detail" in sys.argv
    session = requests.Session()
    session.headers["Authorization"] = "Bearer sandbox-token"
    sent = 0

    def pages(address: str | None) -> list[dict[str, Any]]:
        nonlocal sent
        found: list[dict[str, Any]] = []
        while address:
            answer = session.get(address, timeout=60)
            answer.raise_for_status()
            sent += 1
            found += answer.json()
            address = answer.links.get("next", {}).get("url")
        return found

    with Measured() as measured, duckdb.connect(f"{folder}/naive.duckdb") as connection:
        connection.execute("CREATE TABLE pulls (id BIGINT, number BIGINT, title TEXT, created TIMESTAMP)")
        connection.execute("CREATE TABLE reviews (id BIGINT, number BIGINT, state TEXT, submitted TIMESTAMP)")
        repository = f"{url}/repos/bulk/repository-1"
        for pull in pages(f"{repository}/pulls?state=all&per_page=100"):
            if detail:
                session.get(f"{repository}/pulls/{pull['number']}", timeout=60).json()
                sent += 1
            connection.execute(
                "INSERT INTO pulls VALUES (?, ?, ?, ?)",
                [pull["id"], pull["number"], pull["title"], pull["created_at"]],
            )
            rows = [
                [review["id"], pull["number"], review["state"], review["submitted_at"]]
                for review in pages(f"{repository}/pulls/{pull['number']}/reviews?per_page=100")
            ]
            if rows:
                connection.executemany("INSERT INTO reviews VALUES (?, ?, ?, ?)", rows)
        counts = [
            connection.execute(f"SELECT count(*) FROM {t}").fetchall()[0][0] for t in ("pulls", "reviews")
        ]
    measured.report(requests=sent, points=sent, pull_requests=counts[0], reviews=counts[1])


if __name__ == "__main__":
    main()
