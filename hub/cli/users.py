"""`hubbub users`: the people who work here, with a role in each queue."""

from collections.abc import Sequence

import click

from hub.cli.cases import segment
from hub.cli.client import Api, with_hub
from hub.cli.output import moment, note, say, say_json, say_json_list, say_table
from hub.cli.queues import ANY_QUEUE, note_unknown_queues

ROLES = ("agent", "supervisor", "admin")
UNTIL_THEN = "(the role counts once there is one)"


class RoleType(click.ParamType):
    """`orders=agent`, or `supervisor` for every queue."""

    name = "[QUEUE=]ROLE"

    def convert(
        self, value: object, parameter: click.Parameter | None, context: click.Context | None
    ) -> tuple[str, str]:
        queue, _, role = str(value).rpartition("=")
        if role not in ROLES:
            self.fail(
                f"{value!r}: write QUEUE=ROLE or ROLE; the roles are {', '.join(ROLES)}", parameter, context
            )
        return queue or ANY_QUEUE, role


@click.group()
def users() -> None:
    """Agents, supervisors and administrators: who may do what in which queue."""


@users.command("add")
@click.argument("name")
@click.option("--role", "-r", "roles", multiple=True, type=RoleType(), help="Repeat for several queues.")
@click.option("--title", default="", help="The name that others read.")
@click.option("--address", default="", help="Mail address.")
@click.option("--json", "as_json", is_flag=True, help="One object with the user and `one_time_password`.")
@with_hub
async def add_user(
    api: Api, name: str, roles: Sequence[tuple[str, str]], title: str, address: str, as_json: bool
) -> None:
    """Add a user and print a one-time password, which is shown once and has to be changed at the first sign-in.

    \b
    Examples:
      hubbub users add ines --role admin
      hubbub users add tom --role orders=agent --role returns=supervisor --title "Tom Reed"
    """
    body = {"name": name, "roles": dict(roles), "title": title, "address": address}
    created = await api.post("/users", body)
    await note_unknown_queues(api, dict(roles), UNTIL_THEN)
    if as_json:
        say_json(created)
        return
    note(f"user {created['user']['name']}: {_roles(created['user']['roles'])}; one-time password:")
    say(created["one_time_password"])
    if not roles:
        note("no role was given: nothing can be seen yet; `hubbub users set-roles` gives some")


@users.command("list")
@click.option("--json", "as_json", is_flag=True, help="A JSON array, one item a line.")
@with_hub
async def list_users(api: Api, as_json: bool) -> None:
    """List users with their roles."""
    found = [each async for each in api.pages("/users")]
    if as_json:
        say_json_list(found)
        return
    rows = [
        [each["name"], each["title"], _roles(each["roles"]), "yes" if each["active"] else "no", moment(each["created_at"])]
        for each in found
    ]  # fmt: skip
    say_table(
        ("name", "title", "roles", "active", "since"), rows, "there are no users; `hubbub users add` adds one"
    )


@users.command("set-roles")
@click.argument("name")
@click.argument("roles", nargs=-1, type=RoleType())
@with_hub
async def set_roles(api: Api, name: str, roles: Sequence[tuple[str, str]]) -> None:
    """Give a user these roles and no others. Holds from the user's next request on.

    \b
    Examples:
      hubbub users set-roles tom orders=agent returns=agent
      hubbub users set-roles ines admin
      hubbub users set-roles tom            # none
    """
    changed = await api.patch(f"/users/{segment(name)}", {"roles": dict(roles)})
    await note_unknown_queues(api, dict(roles), UNTIL_THEN)
    say(f"{changed['name']}: {_roles(changed['roles'])}")


@users.command("deactivate")
@click.argument("name")
@with_hub
async def deactivate(api: Api, name: str) -> None:
    """Take everything a user may do; what the user did keeps the name."""
    changed = await api.patch(f"/users/{segment(name)}", {"active": False})
    say(f"{changed['name']} is not active any more")


@users.command("activate")
@click.argument("name")
@with_hub
async def activate(api: Api, name: str) -> None:
    """Give a user that was deactivated back what the roles allow."""
    changed = await api.patch(f"/users/{segment(name)}", {"active": True})
    say(f"{changed['name']} is active")


@users.command("password")
@click.argument("name")
@with_hub
async def password(api: Api, name: str) -> None:
    """Give a user a new one-time password. The old one is no longer good, and all sessions end."""
    given = await api.post(f"/users/{segment(name)}/password")
    note(f"one-time password of {name}:")
    say(given["one_time_password"])


@users.command("reset-second-factor")
@click.argument("name")
@with_hub
async def reset_second_factor(api: Api, name: str) -> None:
    """Take off the second factor of a user who lost device and recovery codes. All sessions end."""
    await api.delete(f"/users/{segment(name)}/second-factor")
    say(f"{name} signs in without a second factor, and sets up a new one where the role must have it")


def _roles(roles: dict[str, str]) -> str:
    return (
        ", ".join(
            f"{role} everywhere" if queue == ANY_QUEUE else f"{queue}={role}" for queue, role in roles.items()
        )
        or "no roles"
    )
