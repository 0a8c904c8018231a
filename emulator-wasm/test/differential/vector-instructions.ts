/** The instructions of V 1.0, Zvfhmin and Zvbb, from the tables of the unprivileged specification. */
/** Adds an instruction to the table. */
type Define<Field> = (extension: 'V' | 'Zvbb', name: string, match: number, fields: readonly Field[]) => void;

/** The fields of the instructions. */
export interface VectorFields<Field> {
  readonly VD: Field;
  readonly VS1: Field;
  readonly VS2: Field;
  /** The data of a store, in the place of vd. */
  readonly VS3: Field;
  readonly VM: Field;
  readonly RD: Field;
  readonly RS1: Field;
  readonly RS2: Field;
  readonly FD: Field;
  readonly FS1: Field;
  /** Five bits in the place of vs1. */
  readonly IMM5: Field;
  /** vtype of vsetvli and of vsetivli. */
  readonly VTYPE11: Field;
  readonly VTYPE10: Field;
}

const OP_V = 0x57;
const [OPIVV, OPFVV, OPMVV, OPIVI, OPIVX, OPFVF, OPMVX, OPCFG] = [0, 1, 2, 3, 4, 5, 6, 7];

const word = (funct6: number, vm: number, vs2: number, vs1: number, funct3: number) =>
  ((funct6 << 26) | (vm << 25) | (vs2 << 20) | (vs1 << 15) | (funct3 << 12) | OP_V) >>> 0;

/** Names by funct6, with the forms of the second operand: vector, scalar, immediate. */
const INTEGER: readonly (readonly [number, string, string])[] = [
  [0x00, 'vadd', 'vxi'],
  [0x02, 'vsub', 'vx'],
  [0x03, 'vrsub', 'xi'],
  [0x04, 'vminu', 'vx'],
  [0x05, 'vmin', 'vx'],
  [0x06, 'vmaxu', 'vx'],
  [0x07, 'vmax', 'vx'],
  [0x09, 'vand', 'vxi'],
  [0x0a, 'vor', 'vxi'],
  [0x0b, 'vxor', 'vxi'],
  [0x0c, 'vrgather', 'vxi'],
  [0x0e, 'vslideup', 'xi'],
  [0x0f, 'vslidedown', 'xi'],
  [0x18, 'vmseq', 'vxi'],
  [0x19, 'vmsne', 'vxi'],
  [0x1a, 'vmsltu', 'vx'],
  [0x1b, 'vmslt', 'vx'],
  [0x1c, 'vmsleu', 'vxi'],
  [0x1d, 'vmsle', 'vxi'],
  [0x1e, 'vmsgtu', 'xi'],
  [0x1f, 'vmsgt', 'xi'],
  [0x20, 'vsaddu', 'vxi'],
  [0x21, 'vsadd', 'vxi'],
  [0x22, 'vssubu', 'vx'],
  [0x23, 'vssub', 'vx'],
  [0x25, 'vsll', 'vxi'],
  [0x27, 'vsmul', 'vx'],
  [0x28, 'vsrl', 'vxi'],
  [0x29, 'vsra', 'vxi'],
  [0x2a, 'vssrl', 'vxi'],
  [0x2b, 'vssra', 'vxi'],
  [0x2c, 'vnsrl.w', 'vxi'],
  [0x2d, 'vnsra.w', 'vxi'],
  [0x2e, 'vnclipu.w', 'vxi'],
  [0x2f, 'vnclip.w', 'vxi'],
];

const MULTIPLY: readonly (readonly [number, string, string])[] = [
  [0x08, 'vaaddu', 'vx'],
  [0x09, 'vaadd', 'vx'],
  [0x0a, 'vasubu', 'vx'],
  [0x0b, 'vasub', 'vx'],
  [0x0e, 'vslide1up', 'x'],
  [0x0f, 'vslide1down', 'x'],
  [0x20, 'vdivu', 'vx'],
  [0x21, 'vdiv', 'vx'],
  [0x22, 'vremu', 'vx'],
  [0x23, 'vrem', 'vx'],
  [0x24, 'vmulhu', 'vx'],
  [0x25, 'vmul', 'vx'],
  [0x26, 'vmulhsu', 'vx'],
  [0x27, 'vmulh', 'vx'],
  [0x29, 'vmadd', 'vx'],
  [0x2b, 'vnmsub', 'vx'],
  [0x2d, 'vmacc', 'vx'],
  [0x2f, 'vnmsac', 'vx'],
  [0x30, 'vwaddu', 'vx'],
  [0x31, 'vwadd', 'vx'],
  [0x32, 'vwsubu', 'vx'],
  [0x33, 'vwsub', 'vx'],
  [0x34, 'vwaddu.w', 'vx'],
  [0x35, 'vwadd.w', 'vx'],
  [0x36, 'vwsubu.w', 'vx'],
  [0x37, 'vwsub.w', 'vx'],
  [0x38, 'vwmulu', 'vx'],
  [0x3a, 'vwmulsu', 'vx'],
  [0x3b, 'vwmul', 'vx'],
  [0x3c, 'vwmaccu', 'vx'],
  [0x3d, 'vwmacc', 'vx'],
  [0x3e, 'vwmaccus', 'x'],
  [0x3f, 'vwmaccsu', 'vx'],
];

const FLOAT: readonly (readonly [number, string, string])[] = [
  [0x00, 'vfadd', 'vf'],
  [0x02, 'vfsub', 'vf'],
  [0x04, 'vfmin', 'vf'],
  [0x06, 'vfmax', 'vf'],
  [0x08, 'vfsgnj', 'vf'],
  [0x09, 'vfsgnjn', 'vf'],
  [0x0a, 'vfsgnjx', 'vf'],
  [0x0e, 'vfslide1up', 'f'],
  [0x0f, 'vfslide1down', 'f'],
  [0x18, 'vmfeq', 'vf'],
  [0x19, 'vmfle', 'vf'],
  [0x1b, 'vmflt', 'vf'],
  [0x1c, 'vmfne', 'vf'],
  [0x1d, 'vmfgt', 'f'],
  [0x1f, 'vmfge', 'f'],
  [0x20, 'vfdiv', 'vf'],
  [0x21, 'vfrdiv', 'f'],
  [0x24, 'vfmul', 'vf'],
  [0x27, 'vfrsub', 'f'],
  ...['vfmadd', 'vfnmadd', 'vfmsub', 'vfnmsub', 'vfmacc', 'vfnmacc', 'vfmsac', 'vfnmsac'].map(
    (name, n) => [0x28 + n, name, 'vf'] as const,
  ),
  [0x30, 'vfwadd', 'vf'],
  [0x32, 'vfwsub', 'vf'],
  [0x34, 'vfwadd.w', 'vf'],
  [0x36, 'vfwsub.w', 'vf'],
  [0x38, 'vfwmul', 'vf'],
  [0x3c, 'vfwmacc', 'vf'],
  [0x3d, 'vfwnmacc', 'vf'],
  [0x3e, 'vfwmsac', 'vf'],
  [0x3f, 'vfwnmsac', 'vf'],
];

const REDUCTIONS = ['vredsum', 'vredand', 'vredor', 'vredxor', 'vredminu', 'vredmin', 'vredmaxu', 'vredmax'];
const FLOAT_REDUCTIONS = [
  [0x01, 'vfredusum'],
  [0x03, 'vfredosum'],
  [0x05, 'vfredmin'],
  [0x07, 'vfredmax'],
  [0x31, 'vfwredusum'],
  [0x33, 'vfwredosum'],
] as const;

/** The unary operations, by the number in the place of vs1. */
const UNARY: readonly (readonly [number, number, string])[] = [
  ...[2, 3, 4, 5, 6, 7].map((n) => [0x12, n, `v${n & 1 ? 's' : 'z'}ext.vf${2 ** (4 - (n >> 1))}`] as const),
  [0x14, 1, 'vmsbf.m'],
  [0x14, 2, 'vmsof.m'],
  [0x14, 3, 'vmsif.m'],
  [0x14, 16, 'viota.m'],
];
const BIT_UNARY = [
  [8, 'vbrev8.v'],
  [9, 'vrev8.v'],
  [10, 'vbrev.v'],
  [12, 'vclz.v'],
  [13, 'vctz.v'],
  [14, 'vcpop.v'],
] as const;
const FLOAT_UNARY = [0x00, 0x04, 0x05, 0x10];
const CONVERSIONS = [0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23];
const MASK_LOGIC = ['vmandn', 'vmand', 'vmor', 'vmxor', 'vmorn', 'vmnand', 'vmnor', 'vmxnor'];

export function defineVector<Field>(define: Define<Field>, fields: VectorFields<Field>): void {
  const { VD, VS1, VS2, VS3, VM, RD, RS1, RS2, FD, FS1, IMM5, VTYPE11, VTYPE10 } = fields;

  define('V', 'vsetvli', (OPCFG << 12) | OP_V, [RD, RS1, VTYPE11]);
  define('V', 'vsetivli', ((3 << 30) | (OPCFG << 12) | OP_V) >>> 0, [RD, IMM5, VTYPE10]);
  define('V', 'vsetvl', ((0x40 << 25) | (OPCFG << 12) | OP_V) >>> 0, [RD, RS1, RS2]);

  const operand = { v: VS1, x: RS1, i: IMM5, f: FS1 } as const;
  const binary = (
    extension: 'V' | 'Zvbb',
    [funct6, name, forms]: readonly [number, string, string],
    funct3: Readonly<Record<string, number>>,
    rest: readonly Field[] = [VM],
    vm = 0,
  ) => {
    for (const form of forms) {
      const second = operand[form as keyof typeof operand];
      define(extension, `${name}.${form}`, word(funct6, vm, 0, 0, funct3[form] as number), [
        VD,
        VS2,
        second,
        ...rest,
      ]);
    }
  };
  const OPI = { v: OPIVV, x: OPIVX, i: OPIVI } as Record<string, number>;
  const OPM = { v: OPMVV, x: OPMVX } as Record<string, number>;
  const OPF = { v: OPFVV, f: OPFVF } as Record<string, number>;
  for (const row of INTEGER) binary('V', row, OPI);
  for (const row of MULTIPLY) binary('V', row, OPM);
  for (const row of FLOAT) binary('V', row, OPF);
  binary('V', [0x10, 'vadc.m', 'vxi'], OPI, []);
  binary('V', [0x12, 'vsbc.m', 'vx'], OPI, []);
  binary('V', [0x11, 'vmadc', 'vxi'], OPI);
  binary('V', [0x13, 'vmsbc', 'vx'], OPI);
  binary('V', [0x17, 'vmerge.m', 'vxi'], OPI, []);
  binary('V', [0x17, 'vfmerge.m', 'f'], OPF, []);
  binary('V', [0x0e, 'vrgatherei16', 'v'], OPI);
  binary('V', [0x30, 'vwredsumu', 'v'], OPI);
  binary('V', [0x31, 'vwredsum', 'v'], OPI);
  binary('V', [0x17, 'vcompress', 'v'], OPM, [], 1);
  for (const [n, name] of REDUCTIONS.entries()) binary('V', [n, name, 'v'], OPM);
  for (const [n, name] of FLOAT_REDUCTIONS) binary('V', [n, name, 'v'], OPF);
  for (const [n, name] of MASK_LOGIC.entries()) binary('V', [0x18 + n, name, 'v'], OPM, [], 1);
  for (const [form, second, funct3] of [
    ['v', VS1, OPIVV],
    ['x', RS1, OPIVX],
    ['i', IMM5, OPIVI],
    ['f', FS1, OPFVF],
  ] as const) {
    define('V', `vmv.v.${form}`, word(0x17, 1, 0, 0, funct3), [VD, second]);
  }
  for (const [funct6, n, name] of UNARY) define('V', name, word(funct6, 0, 0, n, OPMVV), [VD, VS2, VM]);
  define('V', 'vid.v', word(0x14, 0, 0, 17, OPMVV), [VD, VM]);
  for (const [n, name] of BIT_UNARY) define('Zvbb', name, word(0x12, 0, 0, n, OPMVV), [VD, VS2, VM]);
  for (const n of FLOAT_UNARY) define('V', `vfunary1.${n}`, word(0x13, 0, 0, n, OPFVV), [VD, VS2, VM]);
  for (const n of CONVERSIONS) define('V', `vfcvt.${n}`, word(0x12, 0, 0, n, OPFVV), [VD, VS2, VM]);
  define('V', 'vmv.x.s', word(0x10, 1, 0, 0, OPMVV), [RD, VS2]);
  define('V', 'vcpop.m', word(0x10, 0, 0, 16, OPMVV), [RD, VS2, VM]);
  define('V', 'vfirst.m', word(0x10, 0, 0, 17, OPMVV), [RD, VS2, VM]);
  define('V', 'vmv.s.x', word(0x10, 1, 0, 0, OPMVX), [VD, RS1]);
  define('V', 'vfmv.f.s', word(0x10, 1, 0, 0, OPFVV), [FD, VS2]);
  define('V', 'vfmv.s.f', word(0x10, 1, 0, 0, OPFVF), [VD, FS1]);
  for (const n of [1, 2, 4, 8]) define('V', `vmv${n}r.v`, word(0x27, 1, 0, n - 1, OPIVI), [VD, VS2]);

  binary('Zvbb', [0x01, 'vandn', 'vx'], OPI);
  binary('Zvbb', [0x14, 'vror', 'vxi'], OPI);
  binary('Zvbb', [0x15, 'vrol', 'vx'], OPI);
  binary('Zvbb', [0x15, 'vror.high', 'i'], OPI);
  binary('Zvbb', [0x35, 'vwsll', 'vxi'], OPI);

  for (const [eew, width] of [
    [8, 0],
    [16, 5],
    [32, 6],
    [64, 7],
  ] as const) {
    for (let nf = 1; nf <= 8; nf++) {
      const access = (name: string, mop: number, rest: readonly Field[], second = 0) => {
        const match = ((nf - 1) << 29) | (mop << 26) | (second << 20) | (width << 12);
        const seg = nf === 1 ? '' : `seg${nf}`;
        const kind = /ei$/.test(name) ? `${name}${eew}${seg}` : `${name}${seg}e${eew}`;
        define('V', `vl${kind}`, (match | 0x07) >>> 0, [VD, RS1, ...rest, VM]);
        if (!/ff/.test(name)) define('V', `vs${kind}`, (match | 0x27) >>> 0, [VS3, RS1, ...rest, VM]);
      };
      access('', 0, []);
      access('s', 2, [RS2]);
      access('uxei', 1, [VS2]);
      access('oxei', 3, [VS2]);
      const first = ((nf - 1) << 29) | (16 << 20) | (width << 12) | 0x07;
      define('V', `vle${eew}ff.${nf}`, first >>> 0, [VD, RS1, VM]);
    }
    for (const nf of [1, 2, 4, 8]) {
      const match = ((nf - 1) << 29) | (1 << 25) | (8 << 20) | (width << 12);
      define('V', `vl${nf}re${eew}.v`, (match | 0x07) >>> 0, [VD, RS1]);
      if (eew === 8) define('V', `vs${nf}r.v`, (match | 0x27) >>> 0, [VS3, RS1]);
    }
  }
  define('V', 'vlm.v', (1 << 25) | (11 << 20) | 0x07, [VD, RS1]);
  define('V', 'vsm.v', (1 << 25) | (11 << 20) | 0x27, [VS3, RS1]);
}
