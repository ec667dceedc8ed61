"""Instance types: their sizes as EC2 tells them. An instance here is the same small server whatever its type."""

from typing import Any, Final

from lb.api.call import Call, Operations, Params, Result
from lb.api.ec2.describe import describe
from lb.api.ec2.filters import keep
from lb.api.ec2.zones import zone_names

# vCPUs and MiB of memory by size, as the general purpose families have them.
_SIZES: Final = {
    "nano": (2, 512),
    "micro": (2, 1024),
    "small": (2, 2048),
    "medium": (2, 4096),
    "large": (2, 8192),
    "xlarge": (4, 16384),
    "2xlarge": (8, 32768),
}
_BURSTABLE: Final = ("t2", "t3", "t3a", "t4g")
_LISTED: Final = (
    *("t2.micro", "t2.small", "t2.medium", "t3.nano", "t3.micro", "t3.small", "t3.medium", "t3.large"),
    *("m5.large", "m5.xlarge", "m6i.large", "m7i.large"),
)
_FILTERS: Final = {
    "bare-metal": "BareMetal",
    "burstable-performance-supported": "BurstablePerformanceSupported",
    "current-generation": "CurrentGeneration",
    "free-tier-eligible": "FreeTierEligible",
    "hypervisor": "Hypervisor",
    "instance-type": "InstanceType",
    "memory-info.size-in-mib": "MemoryInfo.SizeInMiB",
    "processor-info.supported-architecture": "ProcessorInfo.SupportedArchitectures",
    "supported-root-device-type": "SupportedRootDeviceTypes",
    "supported-usage-class": "SupportedUsageClasses",
    "supported-virtualization-type": "SupportedVirtualizationTypes",
    "vcpu-info.default-vcpus": "VCpuInfo.DefaultVCpus",
}
_OFFERING_FILTERS: Final = {"instance-type": "InstanceType", "location": "Location"}


def describe_instance_types(call: Call, params: Params) -> Result:
    """A few common types, or those asked for."""
    items = [_item(name) for name in params.get("InstanceTypes") or _LISTED]
    return describe("InstanceTypes", items, params, _FILTERS, "InstanceType")


def describe_instance_type_offerings(call: Call, params: Params) -> Result:
    """The common types are offered everywhere."""
    by = params.get("LocationType", "region")
    places = {"availability-zone": zone_names(call.region)}.get(by, [call.region])
    items = [{"InstanceType": name, "LocationType": by, "Location": place} for name in _LISTED for place in places]
    return {"InstanceTypeOfferings": keep(items, params.get("Filters", ()), _OFFERING_FILTERS)}


def _item(name: str) -> dict[str, Any]:
    family, _, size = name.partition(".")
    processors, memory_mib = _SIZES.get(size, _SIZES["2xlarge"])
    is_first = family == "t2"
    threads = 1 if is_first and size in ("nano", "micro", "small") else 2
    processors = threads if is_first and threads == 1 else processors
    return {
        "InstanceType": name,
        "CurrentGeneration": True,
        "FreeTierEligible": name in ("t2.micro", "t3.micro"),
        "SupportedUsageClasses": ["on-demand", "spot"],
        "SupportedRootDeviceTypes": ["ebs"],
        "SupportedVirtualizationTypes": ["hvm"],
        "SupportedBootModes": ["legacy-bios"] if is_first else ["legacy-bios", "uefi"],
        "BareMetal": False,
        "Hypervisor": "xen" if is_first else "nitro",
        "ProcessorInfo": {"SupportedArchitectures": ["x86_64"], "SustainedClockSpeedInGhz": 2.5},
        "VCpuInfo": {
            "DefaultVCpus": processors,
            "DefaultCores": processors // threads,
            "DefaultThreadsPerCore": threads,
        },
        "MemoryInfo": {"SizeInMiB": memory_mib},
        "InstanceStorageSupported": False,
        "EbsInfo": {
            "EbsOptimizedSupport": "unsupported" if is_first else "default",
            "EncryptionSupport": "supported",
            "NvmeSupport": "unsupported" if is_first else "required",
        },
        "NetworkInfo": {
            "NetworkPerformance": "Up to 5 Gigabit",
            "MaximumNetworkInterfaces": 1,
            "MaximumNetworkCards": 1,
            "DefaultNetworkCardIndex": 0,
            "Ipv4AddressesPerInterface": 1,
            "Ipv6AddressesPerInterface": 0,
            "Ipv6Supported": False,
            "EnaSupport": "unsupported" if is_first else "required",
            "EfaSupported": False,
        },
        "HibernationSupported": False,
        "BurstablePerformanceSupported": family in _BURSTABLE,
        "DedicatedHostsSupported": False,
        "AutoRecoverySupported": True,
    }


OPERATIONS: Final[Operations] = {
    "DescribeInstanceTypes": describe_instance_types,
    "DescribeInstanceTypeOfferings": describe_instance_type_offerings,
}
