"""How our dashboards look: lines and numbers, each a few expressions with what they mean."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import stat, timeseries
from grafana_foundation_sdk.builders.common import (
    ReduceDataOptions,
    StackingConfig,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DatasourceVariable,
    QueryVariable,
    Row,
    ThresholdsConfig,
)
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models.common import (
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import Dashboard as Model
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
)

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
# One Prometheus may know several installations, each in a namespace; one without namespaces has only one.
CHOSEN = 'namespace=~"$namespace"'
METRIC = re.compile(r"\b((?:voltbus|process)_\w+)(\{)?")
PANEL_HEIGHT, NUMBER_HEIGHT = 7, 4


@dataclass(frozen=True, slots=True)
class Line:
    """expr: without the choice of an installation. legend: with labels in double braces."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True)
class Lines:
    """A panel over time. meaning: what to read from it. unit: as Grafana names it."""

    title: str
    lines: Sequence[Line]
    meaning: str = ""
    unit: str = "short"
    stacked: bool = False
    width: int = 8


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is now. red_from, red_below: where it is a reason to look."""

    title: str
    expr: str
    meaning: str = ""
    unit: str = "short"
    red_from: float | None = None
    red_below: float | None = None
    width: int = 4


Section = tuple[str, Sequence[Lines | Number]]


def dashboard(name: str, title: str, meaning: str, sections: Sequence[Section]) -> Model:
    """name: of its file, and its address in Grafana."""
    made = (
        Dashboard(f"Voltbus: {title}")
        .uid(f"voltbus-{name}")
        .description(meaning)
        .tags(["voltbus"])
        .readonly()
        .refresh("30s")
        .time("now-1h", "now")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(
            QueryVariable("namespace")
            .label("Namespace")
            .datasource(SOURCE)
            .query("label_values(voltbus_build_info, namespace)")
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .include_all(True)
            .all_value(".*")
        )
    )
    for heading, panels in sections:
        made = made.with_row(Row(heading))
        for panel in panels:
            made = made.with_panel(_number(panel) if isinstance(panel, Number) else _lines(panel))
    model = made.build()
    # By position, so that a panel can be linked to.
    for number, panel_model in enumerate(model.panels or [], 1):
        panel_model.id_val = number
    return model


def chosen(expr: str) -> str:
    """Of the chosen installation alone."""
    return METRIC.sub(lambda found: f"{found[1]}{{{CHOSEN}{',' if found[2] else '}'}", expr)


def quantile(share: float, histogram: str, by: str, where: str = "") -> str:
    """The time that so large a share of what a histogram counts takes at the most."""
    selector = f"{{{where}}}" if where else ""
    return f"histogram_quantile({share}, sum by (le, {by}) (rate({histogram}_bucket{selector}[$__rate_interval])))"


def rate(counter: str, by: str, where: str = "", *, seconds: int = 1) -> str:
    """Summed by labels; in so many seconds."""
    selector = f"{{{where}}}" if where else ""
    summed = f"sum by ({by}) (rate({counter}{selector}[$__rate_interval]))"
    return summed if seconds == 1 else f"{seconds} * {summed}"


def _lines(panel: Lines) -> timeseries.Panel:
    made = (
        timeseries.Panel()
        .title(panel.title)
        .description(panel.meaning)
        .datasource(SOURCE)
        .unit(panel.unit)
        .min(0)
        .span(panel.width)
        .height(PANEL_HEIGHT)
        .fill_opacity(25 if panel.stacked else 5)
        .legend(
            VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs([])
        )
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    )
    if panel.stacked:
        made = made.stacking(StackingConfig().mode(StackingMode.NORMAL).group("A"))
    for letter, line in zip("ABCDEFGH", panel.lines, strict=False):
        made = made.with_target(Dataquery().ref_id(letter).expr(chosen(line.expr)).legend_format(line.legend))
    return made


def _number(panel: Number) -> stat.Panel:
    steps = [Threshold(value=None, color="red" if panel.red_below is not None else "green")]
    if panel.red_below is not None:
        steps.append(Threshold(value=panel.red_below, color="green"))
    if panel.red_from is not None:
        steps.append(Threshold(value=panel.red_from, color="red"))
    return (
        stat.Panel()
        .title(panel.title)
        .description(panel.meaning)
        .datasource(SOURCE)
        .unit(panel.unit)
        .span(panel.width)
        .height(NUMBER_HEIGHT)
        .thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))
        .with_target(Dataquery().ref_id("A").expr(chosen(panel.expr)).legend_format("__auto"))
    )
