/** What a pre-training does besides a training: stands in the plan of a run, and so in `run.json`. */

/** Learning without labels: the network names, for each view of a picture, the other view of the same one. */
export interface ContrastivePlan {
  /** What cosines are divided by. */
  readonly temperature: number;
  /** Numbers that the projection gives for each view; it is thrown away afterwards. */
  readonly projection: number;
  /** Whether the data have labels, with which the features are measured, and never learnt. */
  readonly labelled: boolean;
}
