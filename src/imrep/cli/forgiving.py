"""A group of commands that takes their names in any letter case and suggests the nearest one."""

import difflib

import click

__all__ = ["Forgiving"]


class Forgiving(click.Group):
    """A group whose commands are named in any letter case."""

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The subcommand in any letter case; the nearest name is suggested."""
        names = self.list_commands(context)
        name = args[0].lower()
        if name in names:
            args = [name, *args[1:]]
        elif nearest := difflib.get_close_matches(name, names, n=1):
            context.fail(f"No such command {args[0]!r}. Did you mean {nearest[0]!r}?")
        return super().resolve_command(context, args)
