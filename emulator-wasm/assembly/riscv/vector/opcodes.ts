/** The encoding of vector instructions. AssemblyScript and TypeScript share this file. */

export const OP_V: u32 = 0x57;

// funct3 of OP-V
export const OPIVV: u32 = 0;
export const OPFVV: u32 = 1;
export const OPMVV: u32 = 2;
export const OPIVI: u32 = 3;
export const OPIVX: u32 = 4;
export const OPFVF: u32 = 5;
export const OPMVX: u32 = 6;
export const OPCFG: u32 = 7;

// CSRs that only vector instructions write
export const CSR_VL: u32 = 0xc20;
export const CSR_VTYPE: u32 = 0xc21;
export const CSR_VLENB: u32 = 0xc22;

// mop and lumop of loads and stores
export const UNIT: u32 = 0;
export const STRIDED: u32 = 2;
export const WHOLE: u32 = 8;
export const MASK: u32 = 11;
export const FAULT_FIRST: u32 = 16;
