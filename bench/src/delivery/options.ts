import { UsageError, type OptionValues } from '../options.ts';

/** `1000,9900` as numbers. */
export function listOfNumbers(value: OptionValues[string] | undefined): number[] {
  const numbers = String(value).split(',').map(Number);
  if (numbers.some((number) => !Number.isInteger(number) || number < 1)) {
    throw new UsageError(`${value} is no list of whole numbers, such as 1000,9900.`);
  }
  return numbers;
}
