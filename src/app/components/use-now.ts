import { useEffect, useState } from 'react';

const INTERVAL = 100;

/** The page's clock in ms, that makes its component follow it. */
export function useNow(): number {
  const [now, setNow] = useState(performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), INTERVAL);
    return () => clearInterval(timer);
  }, []);
  return now;
}
