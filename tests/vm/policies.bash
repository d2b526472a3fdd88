# policies.bash: the policies that jobs run under, and how to say them. Sourced by run
# and guest.
#
#	none fedora opensuse all	our own policy (policy.cil) with what these deny
#	all-memfd, all-memfd-shm, ...	and no execution from these kinds of file either
#	PERMISSION[,PERMISSION]...	some of the four; - for none
#	unconfined, user		Debian's policy, in that domain
#	permissive			the same policy, not enforced
#
# How a job is run: native (without a policy) and alone are without jitmend; auto with
# it, list with what is denied told in --policy=; deny as `jitmend deny' has the policy.
# shellcheck shell=bash
# shellcheck disable=SC2154 # guest has the kind of policy

# policy_words POLICY: as --policy= takes them.
policy_words() {
	case $1 in
	none | -) ;;
	fedora) echo execheap ;;
	opensuse) echo execheap,execmod,execstack ;;
	all | all-*) echo execheap,execmod,execstack,execmem ;;
	# Of unconfined_t Debian's policy allows none while its booleans are as shipped.
	unconfined | user) echo execheap,execmod,execstack,execmem ;;
	*) echo "$1" ;;
	esac
}

# denied_booleans POLICY: those of policy.cil.
denied_booleans() {
	local word kinds=${1#all}

	for word in $(policy_words "$1" | tr , ' '); do
		echo "allow_$word"
	done
	[ "$kinds" != "$1" ] || return 0
	for word in ${kinds//-/ }; do
		echo "allow_execute_$word"
	done
}

# deny_options POLICY: of jitmend deny.
deny_options() {
	local word

	for word in $(policy_words "$1" | tr , ' '); do
		echo "--$word"
	done
}

context_of() {
	case $1 in
	unconfined | permissive) echo unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023 ;;
	user) echo user_u:user_r:user_t:s0 ;;
	*) echo all_u:all_r:job_t ;;
	esac
}

# label_prepared FILE...: what was brought for a job, so that it may read it.
label_prepared() {
	[ "$kind" != debian ] || chcon -R system_u:object_r:bin_t:s0 "$@"
}

# label_files: what the file systems' own labels do not say.
label_files() {
	case $kind in
	own)
		chcon all_u:object_r:zero_t /dev/zero
		chcon all_u:object_r:tmp_t /tmp
		chcon all_u:object_r:shm_t /dev/shm
		chcon all_u:object_r:vartmp_t /var/tmp
		;;
	debian)
		chcon system_u:object_r:tmp_t:s0 /tmp /var/tmp
		chcon system_u:object_r:zero_device_t:s0 /dev/zero
		chcon system_u:object_r:null_device_t:s0 /dev/null
		chcon system_u:object_r:urandom_device_t:s0 /dev/urandom /dev/random
		;;
	esac
}
