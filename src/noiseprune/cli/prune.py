"""noiseprune prune."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import noiseprune
from noiseprune.cli.options import OUTPUT, RULE, RUNNING, AsJson, Overwrite, Quiet, Seed, Threads, option
from noiseprune.cli.reading import File, Reading, chosen_options, described, read_network, reads_a_file
from noiseprune.cli.report import Report, check_report, write_report
from noiseprune.cli.session import Session, open_session
from noiseprune.pruning.options import PruneOptions

if TYPE_CHECKING:
    from noiseprune.network import Network


@reads_a_file(options=(RULE, PruneOptions))
def prune(
    file: File,
    density: Annotated[
        float | None, option(RULE, "--density", help="Kept share of the synapses, up to 1.", show_default=False)
    ] = None,
    synapses: Annotated[int | None, option(RULE, "--synapses", help="Kept synapses.", show_default=False)] = None,
    epsilon: Annotated[
        float | None, option(RULE, "--epsilon", help="The theorem's error, where it holds.", show_default=False)
    ] = None,
    constant: Annotated[float | None, option(RULE, "--K", help="The rule's constant.", show_default=False)] = None,
    output: Annotated[
        Path | None, option(OUTPUT, "-o", "--output", help="Write the pruned network here.", show_default=False)
    ] = None,
    report: Report = None,
    seed: Seed = 0,
    threads: Threads = None,
    no_compare: Annotated[bool, option(RUNNING, "--no-compare", help="Do not measure what was preserved.")] = False,
    dry_run: Annotated[
        bool, option(RUNNING, "--dry-run", help="Only estimate memory and time; prune and write nothing.")
    ] = False,
    as_json: AsJson = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    *,
    options: Mapping[str, Any],
    reading: Reading,
) -> None:
    """Prune a network and state what was preserved.

    [bold]noiseprune prune worm_connectome.csv --where Type=Send --inhibitory GABA --density 0.5 --seed 1 -o worm.csv[/bold]
    """
    from noiseprune.rules.budget import Budget
    from noiseprune.sources.files import check_writable

    with open_session("prune", as_json=as_json, quiet=quiet) as session:
        if output is not None:
            check_writable(output, overwrite=overwrite)
        check_report(report, overwrite=overwrite)
        budget: dict[str, Any] = {"density": density, "synapses": synapses, "epsilon": epsilon, "K": constant}
        if any(value is not None for value in budget.values()):
            Budget(**budget)  # refuse a bad one before a large file is read
        net = read_network(file, session, reading)
        if dry_run:
            _foretell(
                session, file, net, Budget(**budget), PruneOptions(**options), compare=not no_compare, threads=threads
            )
            return
        result = noiseprune.prune(net, **budget, **options, compare=False, threads=threads, rng=seed)
        result = result.noted(command=session.command_line, reading=chosen_options(reading))
        if output is not None:
            noiseprune.write(result.network, output, overwrite=overwrite)
            session.wrote(output)
        if not no_compare:  # which may take longer than the prune: what is written stays, whatever comes
            result = result.compared(threads=threads)
        if result.comparison is not None:
            session.table(f"{file.name}, pruned by {_said(result.rule)}", {"value": result.comparison})
        session.say(f"Pruned with {_choices(result.provenance)}.")
        if output is None:
            session.say("Nothing was written: name a file with -o to keep the pruned network.")
        write_report(session, result, report, overwrite=overwrite)
        measured: dict[str, Any] = {
            "n_synapses_before": net.n_synapses,
            "n_synapses_after": result.network.n_synapses,
        }
        if result.comparison is not None:
            measured = result.comparison.to_dict()
        session.answer(
            described(file, net), {**measured, "output": None if output is None else str(output)}, result.provenance
        )


def _foretell(
    session: Session,
    file: Path,
    net: Network,
    budget: Any,
    options: PruneOptions,
    *,
    compare: bool,
    threads: int | None,
) -> None:
    """Say what a prune would take, instead of pruning."""
    from noiseprune.machine.memory import gigabytes
    from noiseprune.machine.threads import limit_threads
    from noiseprune.pruning.forecast import estimate
    from noiseprune.pruning.plan import make_plan

    with limit_threads(threads):
        found = estimate(net, make_plan(net, budget, options), budget, compare=compare)
    seconds = found["seconds"]
    session.facts(
        f"{file.name}: what pruning would take, roughly",
        {
            "probe": found["probe"] or "none: the rule reads no covariance",
            "memory beside the network": f"{gigabytes(found['memory'])} of {gigabytes(found['available_memory'])}"
            + (", and would be refused" if found["memory"] > found["available_memory"] else ""),
            "time to measure v": f"{seconds['probe']:.2g} s",
            "time to fit the weights": f"{seconds['strengthening']:.2g} s",
            "time to compare": f"{seconds['comparison']:.2g} s" if compare else "none: --no-compare",
        },
    )
    session.say("Nothing was pruned or written (--dry-run).")
    session.answer(described(file, net), {"dry_run": True, **found, "output": None}, {})


def _choices(provenance: Mapping[str, Any]) -> str:
    """Say what was chosen, by the user or by us, and what the refit gave up."""
    chosen = provenance["chosen"]
    text = f"probe {chosen['probe']}, strengthen {chosen['strengthen']}, leak {chosen['leak']}"
    if zero := chosen["strengthening"].get("links_that_became_zero"):
        text += f"; {zero} links became zero in the refit and count as pruned"
    return text


def _said(rule: str) -> str:
    return "the noise rule" if rule == "noise" else f"the rule {rule}"
