/** A request to stop after the step that is being computed. */
export class StopSignal {
  #reason: string | undefined;

  /** Why, once somebody asked. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** @param reason for `run.json`, e.g. `Ctrl-C` */
  request(reason: string): void {
    this.#reason ??= reason;
  }
}
