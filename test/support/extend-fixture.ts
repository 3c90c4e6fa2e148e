/**
 * The fixture with what `T` has more. A spread would read its getters now, before the tests have begun; here they stay getters, those
 * of `more` too.
 */
export function extendFixture<A extends object, T extends A>(fixture: A, more: Omit<T, keyof A>): T {
  return Object.defineProperties(fixture, Object.getOwnPropertyDescriptors(more)) as T;
}
