import type { RunEvent } from "./events.ts";

/** Milliseconds between two events of steps, and of images. */
const INTERVAL = 250;

/** Passes every event on but those of steps and images that follow another too soon. */
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
