import { formatDuration } from "../harness/experiment/estimate.ts";

/** A function from the number of parts that are done, of `count`, to the time that the others will take, in words. */
export function countdown(count: number): (done: number) => string {
  const began = performance.now();
  return (done) => {
    if (done === 0) return "";
    const each = (performance.now() - began) / 1000 / done;
    return `, about ${formatDuration(each * (count - done))} left`;
  };
}
