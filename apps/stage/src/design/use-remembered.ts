import { useCallback, useState } from 'react';
import { recall, remember } from '../session/remembered.js';

/** State that this browser keeps from one visit to the next. */
export function useRemembered<Value>(key: string, initial: Value): [Value, (value: Value) => void] {
  const [value, setValue] = useState<Value>(() => recall<Value>(key) ?? initial);
  const set = useCallback(
    (next: Value) => {
      remember(key, next);
      setValue(next);
    },
    [key],
  );
  return [value, set];
}
