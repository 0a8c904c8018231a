/**
 * Lets pages unregister service workers without effect: some frameworks' pages do that with all there are,
 * and ours is the only one.
 */
export function shimRegistration(): void {
  if (!self.ServiceWorkerRegistration) return;
  ServiceWorkerRegistration.prototype.unregister = async () => true;
}
