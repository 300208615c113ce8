import type { RunEvent } from "./events.ts";

/** Minimum milliseconds between events of steps or images. */
const INTERVAL = 250;

/** Forwards all events, except those of steps and images within INTERVAL of the previous one. */
export function throttleEvents(
  report: (event: RunEvent) => void,
  now = () => performance.now(),
): (event: RunEvent) => void {
  let last = -Infinity;
  return (event) => {
    if (event.event === "step" || event.event === "images") {
      if (now() - last < INTERVAL) return;
      last = now();
    }
    report(event);
  };
}
