"""noiseprune run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import noiseprune
from noiseprune.cli.options import OUTPUT, RULE, RUNNING, AsJson, Overwrite, Quiet, Seed, Threads, option
from noiseprune.cli.reading import File, Reading, described, read_network, reads_a_file
from noiseprune.cli.report import Report, check_report, write_report
from noiseprune.cli.session import open_session


@reads_a_file()
def run(
    file: File,
    until_density: Annotated[
        float | None, option(RULE, "--until-density", help="Share of the synapses to be left.", show_default=False)
    ] = None,
    constant: Annotated[
        float | None, option(RULE, "--K", help="The rule's constant, in place of a density.", show_default=False)
    ] = None,
    schedule: Annotated[str, option(RULE, "--schedule", help="once, rounds or continuous.")] = "rounds",
    rounds: Annotated[int, option(RULE, "--rounds", help="In each the same share is kept.")] = 5,
    window: Annotated[
        float | None,
        option(
            RULE,
            "--window",
            help="Averaging time of a synapse, s; 20 of the slowest time constants by default.",
            show_default=False,
        ),
    ] = None,
    decision_rate: Annotated[
        float | None,
        option(
            RULE,
            "--decision-rate",
            "--rate",
            help="continuous: decisions of a synapse, 1/s; four a window by default.",
            show_default=False,
        ),
    ] = None,
    tuning: Annotated[
        float | None, option(RULE, "--tuning", help="Time constant of a slow tuning, s.", show_default=False)
    ] = None,
    leak: Annotated[str, option(RULE, "--leak", help="auto, matched or original.")] = "auto",
    activation: Annotated[
        str | None,
        option(
            RUNNING, "--activation", help="linear, rectified or tanh; the network's own by default.", show_default=False
        ),
    ] = None,
    replicas: Annotated[int, option(RUNNING, "--replicas", help="Copies with noise of their own.")] = 1,
    record_every: Annotated[
        float | None,
        option(RUNNING, "--record-every", help="Time between records, s; a window by default.", show_default=False),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        option(RUNNING, "--checkpoint", help="Keep the state in this .npz; go on where it exists.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None, option(OUTPUT, "-o", "--output", help="Write the network at the end here.", show_default=False)
    ] = None,
    trace: Annotated[
        Path | None,
        option(
            OUTPUT, "--trace", help="Write the run here: .npz (all of it) or .parquet (records).", show_default=False
        ),
    ] = None,
    report: Report = None,
    seed: Seed = 0,
    threads: Threads = None,
    no_compare: Annotated[
        bool, option(RUNNING, "--no-compare", help="Do not measure at the end what was preserved.")
    ] = False,
    as_json: AsJson = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    *,
    reading: Reading,
) -> None:
    """Let a network run with noise while its synapses prune themselves. Ctrl-C saves what --checkpoint names.

    [bold]noiseprune run larva_mb_left_adjacency.csv --orientation pre-post --until-density 0.5 --window 5 -o larva.npz[/bold]
    """
    from noiseprune.plasticity.saving import check_savable
    from noiseprune.sources.files import check_writable

    options: dict[str, Any] = {
        "until_density": until_density,
        "K": constant,
        "schedule": schedule,
        "rounds": rounds,
        "window": window,
        "decision_rate": decision_rate,
        "tuning": tuning,
        "leak": leak,
        "activation": activation,
        "replicas": replicas,
        "record_every": record_every,
    }
    with open_session("run", as_json=as_json, quiet=quiet) as session:
        if output is not None:
            check_writable(output, overwrite=overwrite)
        if trace is not None:
            check_savable(trace, overwrite=overwrite)
        check_report(report, overwrite=overwrite)
        net = read_network(file, session, reading)
        result = noiseprune.run(net, **options, checkpoint=checkpoint, threads=threads, rng=seed)
        result = result.noted(command=session.command_line)
        if output is not None:
            noiseprune.write(result.network, output, overwrite=overwrite)
            session.wrote(output)
        if trace is not None:
            result.save(trace, overwrite=overwrite)
            session.say(f"Wrote {trace}")
        session.development(f"{file.name}, schedule {schedule}", result)
        if not no_compare:
            result = result.compared(threads=threads)
        kept = result.comparison
        if kept is not None:
            session.table(f"{file.name}, what the run left of it", {"value": kept})
        write_report(session, result, report, overwrite=overwrite)
        if output is None:
            session.say("The network was not written: name a file with -o to keep it.")
        written = {"output": output, "trace": trace}
        session.answer(
            described(file, net),
            {
                "records": result.records,
                "comparison": None if kept is None else kept.to_dict(),
                **{name: None if path is None else str(path) for name, path in written.items()},
            },
            result.provenance,
        )
