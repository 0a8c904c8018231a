import { useEffect, useState } from 'react';

const INTERVAL = 100;

/** Returns the page's clock in ms, and renders the component again as it advances. */
export function useNow(): number {
  const [now, setNow] = useState(performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), INTERVAL);
    return () => clearInterval(timer);
  }, []);
  return now;
}
