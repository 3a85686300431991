/**
 * Hands over what a promise gives, or the words of its failure, unless the returned function was called before: what a screen that was left still
 * reads disturbs nothing. For effects, which call it when they run anew and when their component goes.
 */
export function whileWanted<T>(
  asked: Promise<T>,
  take: (found: T) => void,
  fail: (message: string) => void,
): () => void {
  let isOver = false;
  asked.then(
    (found) => {
      if (!isOver) take(found);
    },
    (error: unknown) => {
      if (!isOver) fail(error instanceof Error ? error.message : String(error));
    },
  );
  return () => {
    isOver = true;
  };
}
