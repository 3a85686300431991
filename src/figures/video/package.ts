import { UsageError } from '../../errors.js';

/** Loads an encoder's package, which an installation may lack. Throws UsageError. */
export async function loadEncoder<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new UsageError(
      {
        given: `the npm package ${name} cannot be loaded`,
        expected: 'the package that encodes this kind of video',
        remedy: `add it with \`npm install ${name}\`, or write another kind: .mp4, .webm, .gif, or a folder of PNG files`,
      },
      { cause: error },
    );
  }
}
