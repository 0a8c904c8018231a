/** Tells when something has happened in the running container that a save would keep. */
let listener = () => {};

export function noteActivity(): void {
  listener();
}

export function watchActivity(onActivity: () => void): void {
  listener = onActivity;
}
