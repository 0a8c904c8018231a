#include <linux/mount.h>
#include <linux/sched.h>

#include "console.h"
#include "disks.h"
#include "emulate.h"
#include "files.h"

#define REGISTRY "/run/binfmt"

/*
 * The start of an executable: 64 bits, little-endian, version 1, and type 2 or 3 (ELF gABI, "ELF Header").
 * The mask leaves out the OS and its ABI, and what tells both types apart. The machine follows.
 */
#define HEADER "\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\x"
#define MASK "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff"

/*
 * F: the emulator is opened now, where it is visible, and programs get it where it is not. O: it gets the
 * program open, because its user may be unable to read it. P: the program keeps its name. C, for
 * set-user-ID programs, is left out: QEMU obeys its user's environment, so any of them would give root away.
 */
#define FLAGS "FOP"

static void append_byte(char *line, size_t size, uint8_t byte)
{
	const char *digits = "0123456789abcdef";
	char text[] = { digits[byte >> 4], digits[byte & 15], 0 };

	strlcat(line, text, size);
}

bool is_emulated(int supervisor)
{
	struct statx status;

	return syscall(__NR_setns, supervisor, CLONE_NEWNS) == 0 && statx(AT_FDCWD, EMULATOR, 0, 0, &status) == 0;
}

bool emulate(const char *serial, uint8_t machine)
{
	char line[512] = ":emulated-";

	if (!mount_emulator(serial))
		return false;
	append_byte(line, sizeof(line), machine);
	strlcat(line, ":M::" HEADER, sizeof(line));
	append_byte(line, sizeof(line), machine);
	strlcat(line, "\\x00:" MASK ":" EMULATOR ":" FLAGS, sizeof(line));
	mkdir(REGISTRY, 0755);
	/* An earlier container of the same machine may have registered it. */
	if (mount("binfmt_misc", REGISTRY, "binfmt_misc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "") == 0 &&
	    (write_file(REGISTRY "/register", line) || errno == EEXIST))
		return true;
	say("programs of another processor cannot be emulated: %s", error_text(errno));
	return false;
}
