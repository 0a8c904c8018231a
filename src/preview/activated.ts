/** Resolves when the newest service worker of a registration is active. */
export function activated({ installing, waiting, active }: ServiceWorkerRegistration): Promise<void> {
  const worker = installing ?? waiting ?? active;
  return new Promise((resolve, reject) => {
    const look = () => {
      if (worker?.state === 'activated') resolve();
      if (!worker || worker.state === 'redundant')
        reject(new Error('the browser has given the service worker up'));
    };
    worker?.addEventListener('statechange', look);
    look();
  });
}
