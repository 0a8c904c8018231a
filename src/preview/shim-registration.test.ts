import { expect, test, vi } from 'vitest';
import { shimRegistration } from './shim-registration.ts';

test('a page that unregisters all service workers keeps the one of its preview', async () => {
  const unregistered = vi.fn();
  class ServiceWorkerRegistration {
    async unregister(): Promise<boolean> {
      unregistered();
      return true;
    }
  }
  vi.stubGlobal('self', { ServiceWorkerRegistration });
  vi.stubGlobal('ServiceWorkerRegistration', ServiceWorkerRegistration);
  shimRegistration();
  expect(await new ServiceWorkerRegistration().unregister()).toBe(true);
  expect(unregistered).not.toHaveBeenCalled();
  vi.unstubAllGlobals();
});
