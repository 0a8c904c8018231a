/** vsetvli, vsetivli, vsetvl (V 1.0, chapter 6). */
import { H_VL, H_VSTART, H_VTYPE, H_X } from '../../../layout';
import { setXreg } from '../state';
import { elements } from './unit';

const ILL: u64 = 1 << 63;
/** log2 of ELEN in bytes. */
const ELEN: i32 = 3;

/** Whether the unit has this vtype: a group has room for an element at least. */
function supported(vtype: u64): bool {
  const sew = <i32>(vtype >> 3) & 7;
  const lmul = ((<i32>vtype) << 29) >> 29;
  return vtype >> 8 == 0 && sew <= ELEN && lmul > -4 && elements(sew, lmul) != 0;
}

export function setVectorType(hart: usize, bits: u32): bool {
  const rd = (bits >>> 7) & 31;
  const rs1 = (bits >>> 15) & 31;
  const immediateLength = bits >>> 30 == 3;
  let vtype: u64;
  if (bits >>> 31 == 0) vtype = (bits >>> 20) & 0x7ff;
  else if (immediateLength) vtype = (bits >>> 20) & 0x3ff;
  else if (bits >>> 25 == 0x40) vtype = load<u64>(hart + ((bits >>> 20) & 31) * 8, H_X);
  else return false;
  let vl: u64 = 0;
  if (supported(vtype)) {
    const most = <u64>elements(<i32>(vtype >> 3) & 7, ((<i32>vtype) << 29) >> 29);
    // Without a length the current one stays, or the longest is set (6.2).
    const wanted = immediateLength
      ? <u64>rs1
      : rs1 != 0
        ? load<u64>(hart + rs1 * 8, H_X)
        : rd != 0
          ? ~(<u64>0)
          : load<u64>(hart, H_VL);
    vl = min(wanted, most);
  } else vtype = ILL;
  store<u64>(hart, vtype, H_VTYPE);
  store<u64>(hart, vl, H_VL);
  store<u64>(hart, 0, H_VSTART);
  if (rd != 0) setXreg(hart, rd, vl);
  return true;
}
