import { WebglAddon } from '@xterm/addon-webgl';
import type { Terminal } from '@xterm/xterm';

/** Draws with WebGL if there is a graphics processor, until the context is lost. */
export function drawFast(terminal: Terminal): void {
  if (!hasGraphicsProcessor()) return;
  const addon = new WebglAddon();
  addon.onContextLoss(() => addon.dispose());
  try {
    terminal.loadAddon(addon);
  } catch {
    // The DOM renderer continues to draw.
    addon.dispose();
  }
}

/** Whether WebGL uses a graphics processor. WebGL on the main processor is slower than none. */
function hasGraphicsProcessor(): boolean {
  const context = document
    .createElement('canvas')
    .getContext('webgl2', { failIfMajorPerformanceCaveat: true });
  if (!context) return false;
  const info = context.getExtension('WEBGL_debug_renderer_info');
  const renderer = String(info && context.getParameter(info.UNMASKED_RENDERER_WEBGL));
  context.getExtension('WEBGL_lose_context')?.loseContext();
  return !/swiftshader|llvmpipe|software|basic render/i.test(renderer);
}
