/* The board's interrupt sources, at the addresses of QEMU's `virt` board. */
#pragma once
#include "runtime.h"

#define REGISTER32(address) (*(volatile u32 *)(address))
#define REGISTER64(address) (*(volatile u64 *)(address))

#define MSIP(hart) REGISTER32(0x2000000UL + 4 * (hart))
#define MTIMECMP(hart) REGISTER64(0x2004000UL + 8 * (hart))
#define MTIME REGISTER64(0x200bff8UL)

#define PLIC_PRIORITY(source) REGISTER32(0xc000000UL + 4 * (source))
#define PLIC_PENDING REGISTER32(0xc001000UL)
#define PLIC_ENABLE(context) REGISTER32(0xc002000UL + 0x80 * (context))
#define PLIC_THRESHOLD(context) REGISTER32(0xc200000UL + 0x1000 * (context))
#define PLIC_CLAIM(context) REGISTER32(0xc200004UL + 0x1000 * (context))

/* The UART requests an interrupt whenever it can accept a byte. Reading IIR clears the request. */
#define UART_SOURCE 10
#define UART_IER (*(volatile u8 *)0x10000001UL)
#define UART_IIR (*(volatile u8 *)0x10000002UL)

#define RTC_SOURCE 11
#define RTC_TIME_LOW REGISTER32(0x101000UL)
#define RTC_TIME_HIGH REGISTER32(0x101004UL)
#define RTC_ALARM_LOW REGISTER32(0x101008UL)
#define RTC_ALARM_HIGH REGISTER32(0x10100cUL)
#define RTC_IRQ_ENABLED REGISTER32(0x101010UL)
#define RTC_CLEAR_INTERRUPT REGISTER32(0x10101cUL)
