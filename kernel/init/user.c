#include "console.h"
#include "files.h"
#include "user.h"

enum { PASSWD_FIELDS = 7, GROUP_FIELDS = 4, MAX_ID = 0x7fffffff };

static char text[1 << 20];

/* Splits the next line of the text, in place, into at most count fields. Returns NULL at the end. */
static char *next_line(char *at, char **fields, unsigned count)
{
	if (!*at)
		return NULL;

	char *end = strchr(at, '\n');
	unsigned field = 0;

	if (end)
		*end = 0;
	for (char *rest = at; field < count; field++) {
		char *colon = rest ? strchr(rest, ':') : NULL;

		fields[field] = rest ? rest : "";
		if (colon)
			*colon = 0;
		rest = colon ? colon + 1 : NULL;
	}
	return end ? end + 1 : fields[count - 1] + strlen(fields[count - 1]);
}

static void read_text(const char *path)
{
	text[read_file(path, text, sizeof(text) - 1)] = 0;
}

static bool parse_id(const char *digits, uint32_t *id)
{
	uint64_t value = 0;

	if (!*digits)
		return false;
	for (; *digits; digits++) {
		if (*digits < '0' || *digits > '9')
			return false;
		value = value * 10 + (*digits - '0');
		if (value > MAX_ID)
			return false;
	}
	*id = value;
	return true;
}

/* Whether an entry of either file has the requested name or number. */
static bool matches(char **fields, const char *wanted)
{
	return strcmp(fields[0], wanted) == 0 || strcmp(fields[2], wanted) == 0;
}

/* Fills in the user of /etc/passwd and its name there, which is empty if it has no entry. */
static bool find_passwd(const char *wanted, struct user *user, char *name, size_t size)
{
	char *fields[PASSWD_FIELDS], *at = text;

	*name = 0;
	read_text("/etc/passwd");
	while ((at = next_line(at, fields, PASSWD_FIELDS))) {
		if (!matches(fields, wanted) || !parse_id(fields[2], &user->uid) || !parse_id(fields[3], &user->gid))
			continue;
		strlcpy(name, fields[0], size);
		if (*fields[5])
			strlcpy(user->home, fields[5], sizeof(user->home));
		return true;
	}
	return parse_id(wanted, &user->uid);
}

static bool is_member(char *members, const char *name)
{
	for (char *member = members, *comma; member; member = comma ? comma + 1 : NULL) {
		comma = strchr(member, ',');

		size_t length = comma ? (size_t)(comma - member) : strlen(member);

		if (length == strlen(name) && memcmp(member, name, length) == 0)
			return true;
	}
	return false;
}

static void find_memberships(const char *name, struct user *user)
{
	char *fields[GROUP_FIELDS], *at = text;
	uint32_t gid;

	if (!*name)
		return;
	read_text("/etc/group");
	while ((at = next_line(at, fields, GROUP_FIELDS)))
		if (user->group_count < MAX_GROUPS && is_member(fields[3], name) && parse_id(fields[2], &gid))
			user->groups[user->group_count++] = gid;
}

static bool find_group(const char *wanted, uint32_t *gid)
{
	char *fields[GROUP_FIELDS], *at = text;

	read_text("/etc/group");
	while ((at = next_line(at, fields, GROUP_FIELDS)))
		if (matches(fields, wanted) && parse_id(fields[2], gid))
			return true;
	return parse_id(wanted, gid);
}

bool find_user(const char *wanted, struct user *user)
{
	char name[256], entry[256];

	*user = (struct user){ .home = "/" };
	if (strlcpy(name, wanted, sizeof(name)) >= sizeof(name)) {
		say("the name of the user is too long");
		return false;
	}

	char *group = strchr(name, ':');

	if (group)
		*group++ = 0;
	if (!find_passwd(*name ? name : "0", user, entry, sizeof(entry))) {
		say("the image has no user \"%s\"", name);
		return false;
	}
	if (!group || !*group) {
		find_memberships(entry, user);
	} else if (!find_group(group, &user->gid)) {
		say("the image has no group \"%s\"", group);
		return false;
	}
	return true;
}

int become_user(const struct user *user)
{
	if (syscall(__NR_setgroups, user->group_count, user->groups) < 0 ||
	    syscall(__NR_setresgid, user->gid, user->gid, user->gid) < 0)
		return -1;
	return syscall(__NR_setresuid, user->uid, user->uid, user->uid);
}
