/** How a zip begins that has files. */
const MARK = Uint8Array.of(0x50, 0x4b, 0x03, 0x04);

export async function isZip(file: Blob): Promise<boolean> {
  const bytes = new Uint8Array(await file.slice(0, MARK.length).arrayBuffer());
  return MARK.every((byte, at) => bytes[at] === byte);
}
