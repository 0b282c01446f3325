"""`parley check`: looks at everything Parley needs, and says what to do about what does not fit."""

import asyncio
import sys

import typer

from app.commands.settings import read_settings


def check() -> None:
    """Examine settings, secrets, database, disk and providers; ends with exit code 1 when something fails."""
    from app.commands.examination import examine

    findings = asyncio.run(examine(read_settings()))
    for finding in findings:
        typer.echo(f"{finding.verdict:<7}  {finding.subject}: {finding.sentence}")
    failures = [finding for finding in findings if finding.has_failed]
    if failures:
        typer.echo(f"\n{len(failures)} of {len(findings)} checks failed.", err=True)
        sys.exit(1)
    typer.echo("\nEverything Parley needs is in order.")
