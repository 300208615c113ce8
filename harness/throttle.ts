import type { RunEvent } from "./events.ts";

/** Milliseconds between two step events. */
const INTERVAL = 250;

/** Passes every event on but those of steps that follow another too soon. */
export function throttleSteps(
  report: (event: RunEvent) => void,
  now = () => performance.now(),
): (event: RunEvent) => void {
  let last = -Infinity;
  return (event) => {
    if (event.event === "step") {
      if (now() - last < INTERVAL) return;
      last = now();
    }
    report(event);
  };
}
