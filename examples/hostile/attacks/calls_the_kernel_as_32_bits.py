import ctypes
import mmap
import os

libc = ctypes.CDLL(None, use_errno=True)
X32 = 0x40000000
# push rbx; mov eax, edi; mov ebx, esi; mov ecx, edx; xor edx, edx; int 0x80; pop rbx; ret
CODE = bytes.fromhex("53 89f8 89f3 89d1 31d2 cd80 5b c3")


def as_i386(number, *args):
    room = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    room.write(CODE)
    call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint)
    return call(ctypes.addressof(ctypes.c_char.from_buffer(room)))(number, *args)


def breach(what, call):
    """In a child, since the kernel may end it; whoever comes back with a result has got around the filter."""
    pid = os.fork()
    if pid == 0:
        os._exit(1 if call() >= 0 else 0)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1:
        print("BREACH:", what)


if os.uname().machine == "x86_64":
    breach("the process's number by the i386 table", lambda: as_i386(20, 0, 0))
    breach("a socket by the i386 table", lambda: as_i386(359, 2, 1))
    breach("a new namespace by the i386 table", lambda: as_i386(310, 0x10000000, 0))
    breach("the process's number by the x32 table", lambda: libc.syscall(X32 | 39))
    breach("a socket by the x32 table", lambda: libc.syscall(X32 | 41, 2, 1, 0))
