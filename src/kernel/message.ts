/** A named fact (event) or intent (command): a literal `type` and its `data`. */
export interface Message<T extends string = string, D = unknown> {
  readonly type: T;
  readonly data: D;
}
