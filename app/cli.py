"""`parley …`: the command line. Each group lives in `app/commands/`, and calls the verbs that the pages call."""

import typer

from app.commands import (
    aliases,
    budgets,
    check,
    database,
    demo,
    groups,
    keys,
    models,
    prices,
    providers,
    reference,
    secrets,
    serve,
    usage,
    users,
)

app = typer.Typer(
    name="parley",
    help="Parley: a self-hosted team chat where people and AI models talk together.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(serve.serve)
app.command()(check.check)
app.command()(reference.settings)
app.add_typer(database.group, name="db")
app.add_typer(users.group, name="users")
app.add_typer(groups.group, name="groups")
app.add_typer(keys.group, name="keys")
app.add_typer(providers.group, name="providers")
app.add_typer(models.group, name="models")
app.add_typer(aliases.group, name="aliases")
app.add_typer(prices.group, name="prices")
app.add_typer(budgets.group, name="budgets")
app.add_typer(secrets.group, name="secrets")
app.add_typer(usage.group, name="usage")
app.add_typer(demo.group, name="demo")

if __name__ == "__main__":
    app(prog_name="parley")
