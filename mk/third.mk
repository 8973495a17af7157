# SPDX-License-Identifier: ISC
# third.mk - libraries built from Debian's source packages into the kernel.
#
# Two decompressors for the initramfs: inflate of zlib, and zstd's decoder.
# And ACPICA, the interpreter of ACPI's byte code; and lwIP, the network's
# protocols.  libyaml, for remora-cloud, is built in tools.mk.
# setup.sh fetches their sources, checks them against pinned sums, and unpacks
# them into $(B)/third.  They are built for size and find no C library: what
# they need of it stands in kernel/third/include, and memory comes from the
# allocator that the caller passes.
#
# THIRD_USE: flags for a file that includes <zlib.h> or <zstd.h>; such an
# object must also wait for THIRD_STAMP.
# tests.mk builds the same code once more for the host.

THIRD	= $(B)/third
THIRD_STAMP = $(THIRD)/unpacked
THIRD_USE = -isystem $(THIRD)/zlib -isystem $(THIRD)/zstd/lib \
	  -DZ_SOLO -DZSTD_STATIC_LINKING_ONLY
KTHIRD	= $(THIRD)/libinflate.a $(THIRD)/libunzstd.a $(THIRD)/libacpica.a \
	  $(THIRD)/liblwip.a
# The same for <acpi/acpi.h>; our acpi/platform/aclinux.h stands before theirs.
ACPICA_HOST = -Ikernel/third/acpica -isystem $(THIRD)/acpica/include
ACPICA_USE = -Ikernel/third/include $(ACPICA_HOST)

# lwIP: TCP/IP without threads or sockets of its own.  What every packet passes
# is built fast.  init.c is left out, as it checks numbers that are no
# constants here; mem.c, as memory is the kernel's; timeouts.c has its place
# taken by kernel/net/lwip/timers.c.
LWIP_HOT = core/def core/inet_chksum core/ip core/memp core/pbuf core/tcp \
	  core/tcp_in core/tcp_out core/udp core/ipv4/etharp core/ipv4/ip4 \
	  core/ipv4/ip4_addr core/ipv6/ip6 core/ipv6/ip6_addr netif/ethernet \
	  core/ipv6/ethip6
LWIP_C	= $(LWIP_HOT) core/netif core/raw core/ipv4/dhcp \
	  core/ipv4/icmp core/ipv4/igmp core/ipv4/ip4_frag core/ipv6/icmp6 \
	  core/ipv6/inet6 core/ipv6/ip6_frag core/ipv6/mld6 core/ipv6/nd6
LWIP_O	= $(LWIP_C:%=$(THIRD)/obj/lwip/%.o)
# Its resets, sizes, lists of connections and timer are ours, and its segments
# pass by us: kernel/net/lwip/hooks.h.
LWIP_DEF_tcp = -DLWIP_PORT_TCP
LWIP_DEF_tcp_in = -DLWIP_PORT_TCP_IN -Dtcp_eff_send_mss_netif=lwip_hook_send_mss
LWIP_DEF_tcp_out = -DLWIP_PORT_TCP_OUT -Dtcp_output=lwip_port_output
LWIP_USE = -isystem $(THIRD)/lwip/src/include -Ikernel/net/lwip

# Z_TESTW=0: the CRC takes a byte at a time, from 1 KiB of tables, not 28.
ZLIB_C	= adler32 crc32 inffast inflate inftrees
ZLIB_DEF = -DZ_SOLO -DZ_TESTW=0 -DHAVE_MEMCPY -include string.h

# One decoder of Huffman tables, one of sequences, no assembly, no detection
# of processors, no formats from before 1.0, no text for errors.
ZSTD_C	= common/entropy_common common/fse_decompress common/error_private \
	  common/zstd_common common/xxhash \
	  decompress/huf_decompress decompress/zstd_ddict \
	  decompress/zstd_decompress decompress/zstd_decompress_block
ZSTD_DEF = -DZSTD_LEGACY_SUPPORT=0 -DZSTD_TRACE=0 -DZSTD_NO_INTRINSICS \
	  -DZSTD_DISABLE_ASM=1 -DDYNAMIC_BMI2=0 -DZSTD_NO_UNUSED_FUNCTIONS \
	  -DHUF_FORCE_DECOMPRESS_X1 -DZSTD_FORCE_DECOMPRESS_SEQUENCES_SHORT \
	  -DZSTD_STRIP_ERROR_STRINGS

# Without debugger, disassembler, dumps of resources and messages.
ACPICA_C = dsargs dscontrol dsdebug dsfield dsinit dsmethod dsmthdat dsobject \
	  dsopcode dspkginit dsutils dswexec dswload dswload2 dswscope \
	  dswstate evevent evglock evgpe evgpeblk evgpeinit evgpeutil \
	  evhandler evmisc evregion evrgnini evsci evxface evxfevnt evxfgpe \
	  evxfregn exconcat exconfig exconvrt excreate exdebug exdump \
	  exfield exfldio exmisc exmutex exnames exoparg1 exoparg2 exoparg3 \
	  exoparg6 exprep exregion exresnte exresolv exresop exserial \
	  exstore exstoren exstorob exsystem extrace exutils hwacpi hwesleep \
	  hwgpe hwpci hwregs hwsleep hwvalid hwxface hwxfsleep nsaccess \
	  nsalloc nsarguments nsconvert nsdump nseval nsinit nsload nsnames \
	  nsobject nsparse nspredef nsprepkg nsrepair nsrepair2 nssearch \
	  nsutils nswalk nsxfeval nsxfname nsxfobj psargs psloop psobject \
	  psopcode psopinfo psparse psscope pstree psutils pswalk psxface \
	  rsaddr rscalc rscreate rsdumpinfo rsinfo rsio rsirq rslist \
	  rsmemory rsmisc rsserial rsutils rsxface tbdata tbfadt tbfind \
	  tbinstal tbprint tbutils tbxface tbxfload tbxfroot utaddress \
	  utalloc utascii utbuffer utcache utcopy utdebug utdecode utdelete \
	  uterror uteval utexcep utglobal uthex utids utinit utlock utmath \
	  utmisc utmutex utnonansi utobject utosi utownerid utpredef utprint \
	  utresdecode utresrc utstate utstring utstrsuppt utstrtoul64 \
	  uttrack utuuid utxface utxferror utxfinit utxfmutex

# libyaml's reading half; its configuration is three numbers.
YAML_C	= api reader scanner parser
YAML_DEF = -DYAML_VERSION_MAJOR=0 -DYAML_VERSION_MINOR=2 \
	  -DYAML_VERSION_PATCH=5 -DYAML_VERSION_STRING='"0.2.5"'
YAML_USE = -isystem $(THIRD)/yaml/include -isystem $(THIRD)/zlib -DZ_SOLO

ZLIB_O	= $(ZLIB_C:%=$(THIRD)/obj/zlib/%.o)
ZSTD_O	= $(ZSTD_C:%=$(THIRD)/obj/zstd/%.o)
ACPICA_O = $(ACPICA_C:%=$(THIRD)/obj/acpica/%.o)
# The kernel's own flags, smaller, and without warnings on others' code.
THIRD_CFLAGS = $(filter-out -W% -MMD -MP -O2 -g,$(KCFLAGS)) -Oz -w \
	  -nostdinc -Ikernel/third/include -isystem $(KGCCINC) \
	  -idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu

$(THIRD_STAMP): setup.sh
	$(Q)./setup.sh --quiet --sources $(THIRD)
	@touch $@

$(THIRD)/obj/zlib/%.o: $(THIRD_STAMP) mk/third.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(THIRD_CFLAGS) $(ZLIB_DEF) -c -o $@ $(THIRD)/zlib/$*.c

$(THIRD)/obj/zstd/%.o: $(THIRD_STAMP) mk/third.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(THIRD_CFLAGS) $(ZSTD_DEF) -c -o $@ $(THIRD)/zstd/lib/$*.c

THIRD_H	:= $(shell find kernel/third -name '*.h')
ACPICA_DEF_evxface = -DACPI_FUTURE_USAGE
# Nobody traces methods, so nobody needs their names at each call.
ACPICA_DEF_extrace = -Dacpi_ns_get_normalized_pathname=acpi_os_no_name
# Tables that fail are left as they are: see kernel/bus/acpi_load.c.
ACPICA_DEF_nsload = -Dacpi_ns_delete_namespace_by_owner=acpi_os_keep_nodes \
	  -Dacpi_tb_release_owner_id=acpi_os_keep_owner
ACPICA_DEF_tbxfload = -Dacpi_ns_initialize_objects=acpi_os_loaded
$(THIRD)/obj/acpica/%.o: $(THIRD_STAMP) mk/third.mk $(THIRD_H)
	@mkdir -p $(@D)
	$(Q)$(CC) $(THIRD_CFLAGS) $(ACPICA_USE) $(ACPICA_DEF_$*) -c -o $@ \
	  $(THIRD)/acpica/drivers/acpi/acpica/$*.c

$(THIRD)/libacpica.a: $(ACPICA_O)
	$(Q)rm -f $@ && ar rcsD $@ $^

# What comes for UDP or UDP-Lite goes by kernel/net/inet_udplite.c; for TCP, by
# kernel/net/lwip/pcbs.c.  And what leaves by inet_pmtu.c and inet_icmp.c.
LWIP_DEF_ip4 = -Dudp_input=lwip_hook_udp_input \
	  -Dtcp_input=lwip_hook_tcp_segment $(LWIP_DEF_unreach) \
	  -Dip4_reass=lwip_hook_ip4_reass -Dip6_reass=lwip_hook_ip6_reass \
	  -Dicmp_input=lwip_hook_icmp_input -Dicmp6_input=lwip_hook_icmp6_input
LWIP_DEF_ip6 = $(LWIP_DEF_ip4) -DLWIP_PORT_IP6
LWIP_DEF_mld6 = -Dip6_output_if=lwip_hook_link6_output
LWIP_DEF_nd6 = -DLWIP_PORT_ND6 $(LWIP_DEF_mld6)
LWIP_DEF_icmp = -Dip4_output_if=lwip_hook_icmp_output
LWIP_DEF_icmp6 = -Dnd6_input=lwip_hook_nd6_input -DLWIP_MULTICAST_PING=1 \
	  -Dip6_output_if=lwip_hook_icmp6_output
LWIP_DEF_unreach = -Dicmp_dest_unreach=lwip_hook_unreachable
LWIP_DEF_udp = -Dip4_output_if_src=lwip_hook_ip4_output $(LWIP_DEF_unreach)
# UDP's control blocks are kept by kernel/net/lwip/udps.c.
LWIP_DEF_dhcp = -Dudp_bind=lwip_port_udp_bind \
	  -Dudp_connect=lwip_port_udp_connect -Dudp_remove=lwip_port_udp_remove
LWIP_DEF_netif = -Dudp_netif_ip_addr_changed=lwip_port_udp_address
LWIP_DEF_raw = -Dip4_output_if=lwip_hook_ip4_output
LWIP_H := $(wildcard kernel/net/lwip/*.h kernel/net/lwip/*/*.h)
$(THIRD)/obj/lwip/%.o: $(THIRD_STAMP) mk/third.mk $(LWIP_H)
	@mkdir -p $(@D)
	$(Q)$(CC) $(THIRD_CFLAGS) $(if $(filter $*,$(LWIP_HOT)),-O2) \
	  $(LWIP_USE) $(LWIP_DEF_$(notdir $*)) -c -o $@ $(THIRD)/lwip/src/$*.c

$(THIRD)/liblwip.a: $(LWIP_O)
	$(Q)rm -f $@ && ar rcsD $@ $^

# Those who call it.
$(B)/kernel/net/inet% $(B)/kernel/net/lwip/%: KCFLAGS += $(LWIP_USE)
LWIP_USERS := $(wildcard kernel/net/inet*.c kernel/net/lwip/*.c)
$(LWIP_USERS:%.c=$(B)/%.o): | $(THIRD_STAMP)
# Of what lwIP's headers include the compiler tells make nothing.
$(foreach d,$(B) $(B)/unit $(B)/fuzz,$(LWIP_USERS:%.c=$(d)/%.o)): $(LWIP_H)

$(THIRD)/libinflate.a: $(ZLIB_O)
	$(Q)rm -f $@ && ar rcsD $@ $^

$(THIRD)/libunzstd.a: $(ZSTD_O)
	$(Q)rm -f $@ && ar rcsD $@ $^

KCFLAGS_unpack = $(THIRD_USE)
$(B)/kernel/fs/unpack.o: | $(THIRD_STAMP)

ACPICA_USERS = acpi acpi_eval acpi_load acpi_osl acpi_osl_io acpi_pci acpi_hotplug acpi_devices
$(foreach f,$(ACPICA_USERS),$(eval KCFLAGS_$(f) = $(ACPICA_USE)))
$(ACPICA_USERS:%=$(B)/kernel/bus/%.o): | $(THIRD_STAMP)
