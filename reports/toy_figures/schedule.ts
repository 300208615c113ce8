import * as Plot from "@observablehq/plot";
import type { ScheduleReport, ScheduleRun } from "../../harness/core/schedule_types.ts";
import { COLOURS } from "../document/plot.ts";
import { grid, type Panel, panel } from "./panel.ts";

/** W2 of the last iterates by gradients: a row of panels for each target, by schedule and by rule. */
export function scheduleFigure({ runs, floors }: ScheduleReport): string {
  const targets = Object.keys(floors);
  const noises = [...new Set(runs.map(({ setting }) => setting.gradientNoise))];
  const rows = targets.map((target) => {
    const own = runs.filter((run) => run.target === target);
    const euler = own.filter(({ rule }) => rule === "euler");
    const others = own.filter(({ setting }) =>
      own.some(({ rule, setting: { power, gradientNoise } }) =>
        rule !== "euler" && power === setting.power && gradientNoise === setting.gradientNoise
      )
    );
    return [
      ...noises.map((noise) =>
        curves(
          `${target}, LD, gradient noise ${noise}`,
          euler.filter(({ setting }) => setting.gradientNoise === noise),
          { floor: floors[target], nameOf: powerLabel },
        )
      ),
      curves(`${target}, ${others.length > 0 ? powerLabel(others[0]) : ""}, rules`, others, {
        floor: floors[target],
        nameOf: ({ label }) => label,
      }),
    ];
  });
  return grid("Distance of last iterates under decreasing step sizes", rows);
}

/** `p = 0.8`, or `constant`. */
export function powerLabel({ setting: { power } }: ScheduleRun): string {
  return power === 0 ? "constant" : `p = ${power}`;
}

function curves(
  title: string,
  runs: readonly ScheduleRun[],
  { floor, nameOf }: { readonly floor: number; nameOf(run: ScheduleRun): string },
): Panel {
  const points = runs.flatMap((run) =>
    run.points.map(({ gradients, distance }) => ({ gradients, distance, name: nameOf(run) }))
  );
  const names = [...new Set(points.map(({ name }) => name))];
  const ends = names.flatMap((name) => points.filter((p) => p.name === name).slice(-1));
  return panel(title, {
    width: 340,
    height: 230,
    marginLeft: 44,
    marginRight: 84,
    marginBottom: 34,
    inset: 6,
    x: { type: "log", label: "gradients", ticks: 4, tickFormat: "~s" },
    y: { type: "log", label: "W2 to the target", tickFormat: "~g", ticks: 4 },
    color: { type: "categorical", domain: names, range: COLOURS },
    marks: [
      Plot.ruleY([floor], { stroke: "#999", strokeDasharray: "3,3" }),
      Plot.line(points, { x: "gradients", y: "distance", stroke: "name" }),
      Plot.dot(points, { x: "gradients", y: "distance", fill: "name", r: 2 }),
      Plot.text(ends, {
        x: "gradients",
        y: "distance",
        text: "name",
        fill: "name",
        dx: 8,
        textAnchor: "start",
      }),
      Plot.frame({ stroke: "#999" }),
    ],
  });
}
