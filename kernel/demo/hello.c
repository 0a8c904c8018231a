/* The program of the hello-world image, which prints where it runs. */

int main(void)
{
	struct utsname system;

	if (uname(&system) < 0)
		return 1;
	printf("Hello from LinuxRun!\n\n"
	       "This program runs in a container of its own, on %s %s for %s:\n"
	       "a machine emulated in WebAssembly, in a browser tab or in Node.\n\n"
	       "To try more, run another image:\n"
	       "  npx linuxrun run -it busybox     # with the npm package\n"
	       "  LINUXRUN_IMAGE=busybox ./run.sh  # in a clone\n",
	       system.sysname, system.release, system.machine);
	return 0;
}
