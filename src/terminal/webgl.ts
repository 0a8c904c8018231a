import { WebglAddon } from '@xterm/addon-webgl';
import type { Terminal } from '@xterm/xterm';

/** Renderers that run on the main processor, where WebGL is slower than none. */
const SOFTWARE = /swiftshader|llvmpipe|software|basic render/i;
/** WebKit gives all renderers this name. */
const MASKED = /^apple gpu$/i;

/** The side of the picture that is drawn to measure a renderer, in pixels. */
const SIDE = 512;
/** The rows that are drawn at once, after which a slow renderer need not go on. */
const STRIP = 128;
/** The most that a graphics processor takes for it, in ms. Integrated ones take about 3, and llvmpipe 60. */
const MOST_TIME = 15;

const VERTICES = `#version 300 es
  void main() {
    // A triangle that covers the picture.
    vec2 corner = vec2(gl_VertexID == 1, gl_VertexID == 2) * 4.0 - 1.0;
    gl_Position = vec4(corner, 0.0, 1.0);
  }`;
const COLOURS = `#version 300 es
  precision highp float;
  out vec4 colour;
  void main() {
    float sum = 0.0;
    for (int step = 1; step <= 64; step++) sum += sin(gl_FragCoord.x * float(step) + gl_FragCoord.y);
    colour = vec4(sum);
  }`;

/** Found out once in a page, because each context leaves 12 MiB in WebKitGTK. */
let isFast: boolean | undefined;

/** Draws with WebGL if there is a graphics processor, until the context is lost. */
export function drawFast(terminal: Terminal): void {
  isFast ??= hasGraphicsProcessor();
  if (!isFast) return;
  const addon = new WebglAddon();
  addon.onContextLoss(() => addon.dispose());
  try {
    terminal.loadAddon(addon);
  } catch {
    // The DOM renderer continues to draw.
    addon.dispose();
  }
}

function hasGraphicsProcessor(): boolean {
  const canvas = Object.assign(document.createElement('canvas'), { width: SIDE, height: SIDE });
  const context = canvas.getContext('webgl2', { failIfMajorPerformanceCaveat: true });
  if (!context) return false;
  const info = context.getExtension('WEBGL_debug_renderer_info');
  const renderer = String(info && context.getParameter(info.UNMASKED_RENDERER_WEBGL));
  const hasProcessor = MASKED.test(renderer) ? drawsInTime(context) : !SOFTWARE.test(renderer);
  context.getExtension('WEBGL_lose_context')?.loseContext();
  return hasProcessor;
}

/** Draws a picture whose pixels take some work. */
function drawsInTime(context: WebGL2RenderingContext): boolean {
  const program = context.createProgram();
  addShader(context, program, context.VERTEX_SHADER, VERTICES);
  addShader(context, program, context.FRAGMENT_SHADER, COLOURS);
  context.linkProgram(program);
  // biome-ignore lint/correctness/useHookAtTopLevel: it is a method of WebGL, not a hook of React
  context.useProgram(program);
  // The first row also prepares the program.
  draw(context, 0, 1);
  const end = performance.now() + MOST_TIME;
  for (let y = 0; y < SIDE && performance.now() <= end; y += STRIP) draw(context, y, STRIP);
  return performance.now() <= end;
}

function addShader(
  context: WebGL2RenderingContext,
  program: WebGLProgram,
  type: GLenum,
  source: string,
): void {
  const shader = context.createShader(type);
  // The context is lost.
  if (!shader) return;
  context.shaderSource(shader, source);
  context.compileShader(shader);
  context.attachShader(program, shader);
}

/** Draws rows of the picture. Returns when they are complete, because a pixel of them is read. */
function draw(context: WebGL2RenderingContext, y: number, rows: number): void {
  context.viewport(0, y, SIDE, rows);
  context.drawArrays(context.TRIANGLES, 0, 3);
  context.readPixels(0, y, 1, 1, context.RGBA, context.UNSIGNED_BYTE, new Uint8Array(4));
}
