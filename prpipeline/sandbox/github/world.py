"""A world: everything that exists on the sandbox's GitHub, and what people can do there.

Each method is one action of a person on GitHub. It happens under one lock, at the time of the world's clock unless `at`
is given. The world decides which actions move `updatedAt`; how the APIs show the result is not its job.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from prpipeline.sandbox.clock import Clock, whole_second
from prpipeline.sandbox.github.accounts import change
from prpipeline.sandbox.github.edits import Edits
from prpipeline.sandbox.github.model import Actor, PullRequest, Repository, Review, Team, TimelineEvent

SILENT = frozenset({"dismiss_review", "delete_review", "edit_review", "delete_comment", "resolve_thread"})
"""Changes that do not move `updatedAt`. GitHub does not document it; dismissal is the cautious guess."""


class World(Edits):
    """Accounts, repositories and their pull requests.

    People may be given as `Actor` or as a login; an unknown login becomes a new user, one ending in `[bot]` a bot.
    `silent` names the methods whose change does not move `updatedAt`.
    """

    def __init__(self, clock: Clock | None = None, silent: Iterable[str] = SILENT) -> None:
        super().__init__(clock, silent)

    # Pull requests

    @change
    def open_pull_request(
        self,
        repository: Repository | str,
        author: Actor | str,
        title: str = "A change",
        *,
        draft: bool = False,
        base: str = "main",
        additions: int = 10,
        deletions: int = 2,
        changed_files: int = 1,
        head: str = "topic",
        fork: Literal["there", "gone"] | None = None,
        labels: Sequence[str] = (),
        milestone: str | None = None,
        body: str = "",
        commits: int = 1,
        first_commit_at: datetime | None = None,
        number: int | None = None,
        id: int | None = None,
        at: datetime | None = None,
    ) -> PullRequest:
        """Open a pull request, from a branch of the repository or of a fork that is there or gone by now."""
        found = self._repository(repository)
        now = self._stamp(at)
        pull_request = PullRequest(
            id or self.next_id("pull_request"),
            found,
            number or found.last_number + 1,
            self.actor(author),
            title,
            created_at=now,
            updated_at=now,
            is_draft=draft,
            base_ref=base,
            head_ref=head,
            is_cross_repository=fork is not None,
            is_fork_gone=fork == "gone",
            labels=[self.known_label(name) for name in labels],
            milestone=self.known_milestone(milestone),
            body=body,
            commits=commits,
            first_commit_at=whole_second(first_commit_at) if first_commit_at else None,
            additions=additions,
            deletions=deletions,
            changed_files=changed_files,
        )
        self.adopt(pull_request)
        return pull_request

    @change
    def close(
        self, pull_request: PullRequest, by: Actor | str | None = None, at: datetime | None = None
    ) -> None:
        """Close a pull request without merging it."""
        now = self._stamp(at)
        pull_request.state, pull_request.closed_at = "CLOSED", now
        self._event(pull_request, "closed", by, now)
        self._touch(pull_request, now, "close")

    @change
    def reopen(
        self, pull_request: PullRequest, by: Actor | str | None = None, at: datetime | None = None
    ) -> None:
        """Reopen a closed pull request."""
        now = self._stamp(at)
        pull_request.state, pull_request.closed_at = "OPEN", None
        self._event(pull_request, "reopened", by, now)
        self._touch(pull_request, now, "reopen")

    @change
    def merge(
        self, pull_request: PullRequest, by: Actor | str | None = None, at: datetime | None = None
    ) -> None:
        """Merge a pull request; GitHub records a merged and a closed event."""
        now = self._stamp(at)
        pull_request.state, pull_request.closed_at, pull_request.merged_at = "MERGED", now, now
        pull_request.merged_by = self._person(pull_request, by)
        self._event(pull_request, "merged", by, now)
        self._event(pull_request, "closed", by, now)
        self._touch(pull_request, now, "merge")

    @change
    def ready_for_review(
        self, pull_request: PullRequest, by: Actor | str | None = None, at: datetime | None = None
    ) -> None:
        """Mark a draft as ready for review."""
        now = self._stamp(at)
        pull_request.is_draft = False
        self._event(pull_request, "ready_for_review", by, now)
        self._touch(pull_request, now, "ready_for_review")

    @change
    def convert_to_draft(
        self, pull_request: PullRequest, by: Actor | str | None = None, at: datetime | None = None
    ) -> None:
        """Convert a pull request to a draft."""
        now = self._stamp(at)
        pull_request.is_draft = True
        self._event(pull_request, "convert_to_draft", by, now)
        self._touch(pull_request, now, "convert_to_draft")

    @change
    def request_review(
        self,
        pull_request: PullRequest,
        reviewer: Actor | Team | str,
        by: Actor | str | None = None,
        at: datetime | None = None,
    ) -> None:
        """Request a review from a person or a team (`organization/team`)."""
        now, who = self._stamp(at), self._reviewer(reviewer)
        if who not in pull_request.requested_reviewers:
            pull_request.requested_reviewers.append(who)
        self._event(pull_request, "review_requested", by, now).requested_reviewer = who
        self._touch(pull_request, now, "request_review")

    @change
    def remove_review_request(
        self,
        pull_request: PullRequest,
        reviewer: Actor | Team | str,
        by: Actor | str | None = None,
        at: datetime | None = None,
    ) -> None:
        """Remove a review request."""
        now, who = self._stamp(at), self._reviewer(reviewer)
        if who in pull_request.requested_reviewers:
            pull_request.requested_reviewers.remove(who)
        self._event(pull_request, "review_request_removed", by, now).requested_reviewer = who
        self._touch(pull_request, now, "remove_review_request")

    @change
    def comment(
        self,
        pull_request: PullRequest,
        author: Actor | str,
        at: datetime | None = None,
        body: str = "A remark",
    ) -> TimelineEvent:
        """Comment on the conversation; this is not a review."""
        now = self._stamp(at)
        pull_request.comments += 1
        event = self._event(pull_request, "commented", author, now)
        event.after = body
        self._touch(pull_request, now, "comment")
        return event

    @change
    def delete_comment(self, comment: TimelineEvent) -> None:
        """Delete a comment of the conversation."""
        pull_request = comment.pull_request
        pull_request.events.remove(comment)
        pull_request.comments -= 1
        self._touch(pull_request, self._stamp(None), "delete_comment")

    @change
    def delete_pull_request(self, pull_request: PullRequest) -> None:
        """Remove a pull request as GitHub's support does: no event, no trace."""
        del pull_request.repository.pull_requests[pull_request.number]
        pull_request.repository.version += 1
        self.nodes.pop(pull_request.node_id, None)

    # Reviews

    @change
    def review(
        self,
        pull_request: PullRequest,
        author: Actor | str,
        state: str = "APPROVED",
        *,
        comments: int = 0,
        body: str = "",
        id: int | None = None,
        started_at: datetime | None = None,
        at: datetime | None = None,
    ) -> Review:
        """Review: APPROVED, CHANGES_REQUESTED, COMMENTED, or PENDING, which only its author sees."""
        now = self._stamp(at)
        review = Review(
            id or self.next_id("review"),
            pull_request,
            self.actor(author),
            state,
            created_at=self._stamp(started_at) if started_at else now,
            submitted_at=None if state == "PENDING" else now,
            updated_at=now,
            commit_oid=pull_request.head_oid,
            comments=comments,
            body=body,
        )
        pull_request.reviews.append(review)
        pull_request.reviews.sort(key=lambda r: r.id)
        if state == "PENDING":
            pull_request.repository.version += 1
        else:
            self._submitted(review, now)
        return review

    @change
    def submit_review(self, review: Review, state: str = "COMMENTED", at: datetime | None = None) -> None:
        """Submit a pending review."""
        now = self._stamp(at)
        review.state, review.submitted_at, review.updated_at = state, now, now
        self._submitted(review, now)

    @change
    def dismiss_review(
        self, review: Review, by: Actor | str | None = None, at: datetime | None = None
    ) -> None:
        """Dismiss a review; its state changes in place."""
        now = self._stamp(at)
        event = self._event(review.pull_request, "review_dismissed", by, now)
        event.review, event.previous_state = review, review.state
        review.state, review.updated_at = "DISMISSED", now
        self._touch(review.pull_request, now, "dismiss_review")

    @change
    def edit_review(self, review: Review, body: str, at: datetime | None = None) -> None:
        """Change the text of a review."""
        now = self._stamp(at)
        review.body, review.updated_at = body, now
        self._touch(review.pull_request, now, "edit_review")

    @change
    def delete_review(self, review: Review) -> None:
        """Delete a review; no event records it."""
        review.pull_request.reviews.remove(review)
        review.pull_request.review_comments -= review.comments
        self._touch(review.pull_request, self._stamp(None), "delete_review")

    @change
    def miscount(self, of: PullRequest | Repository, by: int) -> None:
        """Let GitHub count more reviews, or pull requests, than it lists; fewer where negative."""
        if isinstance(of, Repository):
            of.pull_requests_miscounted = by
            of.version += 1
        else:
            of.reviews_miscounted = by

    @change
    def hide(self, pull_request: PullRequest) -> None:
        """Let GitHub count a pull request, keep its place in lists, and show it to nobody."""
        pull_request.is_hidden = True
        pull_request.repository.version += 1

    @change
    def delete_event(self, event: TimelineEvent) -> None:
        """Let an event vanish from its timeline, without a trace."""
        event.pull_request.events.remove(event)
        event.pull_request.repository.version += 1

    # For samples and recordings

    def adopt(self, pull_request: PullRequest) -> None:
        """Add a pull request that a sample or a recording built."""
        repository = pull_request.repository
        repository.pull_requests[pull_request.number] = pull_request
        repository.last_number = max(repository.last_number, pull_request.number)
        self.nodes[pull_request.node_id] = pull_request
        repository.version += 1
        self.version += 1

    # Internals

    def _reviewer(self, reviewer: Actor | Team | str) -> Actor | Team:
        if isinstance(reviewer, str):
            if "/" not in reviewer:
                return self.actor(reviewer)
            return self._teams.get(reviewer.lower()) or self.add_team(*reviewer.split("/"))
        return reviewer

    def _submitted(self, review: Review, now: datetime) -> None:
        pull_request = review.pull_request
        pull_request.review_comments += review.comments
        # GitHub removes a reviewer from the requested ones as soon as the review is submitted.
        if review.author in pull_request.requested_reviewers:
            pull_request.requested_reviewers.remove(review.author)
        self._touch(pull_request, now, "review")
