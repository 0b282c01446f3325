"""`parley check`: looks at everything Parley needs, and says what to do about what does not fit."""

import asyncio
import sys

import typer

from app.commands.settings import read_settings


def check() -> None:
    """Examine settings, secrets, database, disk and providers, and say what to do.

    Exit code 0: Parley can work, even if there are warnings; 1: something it needs has failed.
    """
    from app.commands.examination import Verdict, examine

    findings = asyncio.run(examine(read_settings()))
    for finding in findings:
        typer.echo(f"{finding.verdict:<7}  {finding.subject}: {finding.sentence}")
    verdicts = [finding.verdict for finding in findings]
    if failures := verdicts.count(Verdict.FAILED):
        typer.echo(f"\n{failures} of {len(findings)} checks failed.", err=True)
        sys.exit(1)
    if warnings := verdicts.count(Verdict.WARNING):
        typer.echo(f"\nParley can work. {warnings} of {len(findings)} checks ended in a warning.")
    else:
        typer.echo("\nEverything Parley needs is in order.")
