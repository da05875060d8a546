"""How the profile of a run is shown."""

from ozzy.cli.style import count, duration, size, styled
from ozzy.run.result import RunProfile, StageProfile


def profiled(profile: RunProfile) -> list[str]:
    """Where the time of a run went: a line for each stage, and what it took in memory."""
    names = [f"{'  ' if stage.part else ''}{stage.name}" for stage in profile.stages]
    width = max(map(len, names))
    head = f"  {'':<{width}}{'time':>12}{'share':>7}{'records/s':>14}{'bytes/s':>14}  face"
    lines = [styled("profile", err=True, bold=True), head]
    lines += [f"  {name:<{width}}{_figures(stage)}" for name, stage in zip(names, profile.stages, strict=True)]
    return [*lines, f"  {count(profile.checkpoints, 'checkpoint')}; memory of this process: {size(profile.memory)} at the most"]


def _figures(stage: StageProfile) -> str:
    records = f"{stage.records_per_second:,.0f}" if stage.records_per_second is not None else ""
    volume = f"{size(stage.bytes_per_second)}/s" if stage.bytes_per_second is not None else ""
    return f"{duration(stage.seconds):>12}{stage.share:>7.0%}{records:>14}{volume:>14}  {stage.face}".rstrip()
