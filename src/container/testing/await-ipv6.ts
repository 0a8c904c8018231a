/**
 * Shell commands that wait for the container's IPv6 address: the kernel makes it when it has heard of the
 * router, perhaps after the program starts.
 */
export const AWAIT_IPV6 =
  'i=0; until grep -q ^fd4c /proc/net/if_inet6 || [ $i -gt 99 ]; do i=$((i + 1)); sleep 0.1; done';
