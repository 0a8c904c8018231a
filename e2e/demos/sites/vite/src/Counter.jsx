import { useState } from 'react';

export function Counter() {
  const [count, setCount] = useState(0);
  return (
    <main>
      <h1>Vite in a browser tab</h1>
      <button type="button" onClick={() => setCount(count + 1)}>
        Pressed {count} times
      </button>
    </main>
  );
}
