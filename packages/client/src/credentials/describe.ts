/** Makes a function say what it stands for when it is printed, instead of its source. */
export function describe<Value extends object>(value: Value, description: string): Value {
  const show = { value: () => description, enumerable: false }
  return Object.defineProperties(value, {
    toString: show,
    toJSON: show,
    [Symbol.for('nodejs.util.inspect.custom')]: show,
  })
}
