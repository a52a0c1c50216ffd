/** Something wrong with an SQE that only a run can tell: no room in the SQ, or an op that the simulator does not know. */
export class StepError extends Error {
  override readonly name = 'StepError';
  constructor(
    message: string,
    readonly step: number,
    readonly sqe: number,
  ) {
    super(message);
  }
}
