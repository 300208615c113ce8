/** A metric of draws against the truth. */
export interface ToyMetric {
  readonly name: string;
  readonly label: string;
  readonly better: "lower" | "higher" | "one";
}

/** All metrics, in the order of tables. */
export const TOY_METRICS: readonly ToyMetric[] = [
  { name: "mean_error", label: "mean error (sd)", better: "lower" },
  { name: "covariance_error", label: "covariance error", better: "lower" },
  { name: "kl", label: "KL of fitted Gaussian (nats)", better: "lower" },
  { name: "histogram_tv", label: "histogram TV", better: "lower" },
  { name: "sliced_w2", label: "sliced W2", better: "lower" },
  { name: "mmd2", label: "MMD²", better: "lower" },
  { name: "mode_error", label: "mode weight TV", better: "lower" },
  { name: "modes_missed", label: "modes missed", better: "lower" },
  { name: "within_mode_variance", label: "variance within modes / σ²", better: "one" },
  { name: "energy", label: "mean energy − that of the posterior (nats)", better: "lower" },
  { name: "power", label: "10 % of the drift in the mean energy (se)", better: "higher" },
  { name: "moments", label: "largest error of a moment (se)", better: "lower" },
  { name: "marginals", label: "largest error of a marginal (se)", better: "lower" },
  { name: "mode_weights", label: "largest error of a mode's weight (se)", better: "lower" },
  { name: "acceptance", label: "acceptance rate", better: "one" },
  { name: "decisions", label: "largest error of decisions (se)", better: "lower" },
  { name: "ess", label: "effective sample size", better: "higher" },
  { name: "r_hat", label: "split R-hat", better: "one" },
  { name: "gradients", label: "gradients of all points, all chains", better: "lower" },
  { name: "gradients_per_draw", label: "gradients per effective draw", better: "lower" },
];
