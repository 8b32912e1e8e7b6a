"""FTP by curl and lftp to vsftpd, through masquerade, through a forwarded port, and back inside by hairpin."""
import os
import re
import unittest

from gateway import PUBLIC, SERVER, SERVER6, GatewayCase, rules
from lab import run
from routed_test import NETWORK, NETWORK6, needs

PUBLIC6 = NETWORK6["outside"] + "1"
INSIDE = NETWORK["inside"] + ".2"
INSIDE6 = NETWORK6["inside"] + "2"
VSFTPD = """\
background=NO
listen=NO
listen_ipv6=YES
anonymous_enable=YES
no_anon_password=YES
anon_root={root}
write_enable=YES
anon_upload_enable=YES
anon_umask=022
connect_from_port_20=YES
# The sandbox of this version knows fewer system calls than today's C library makes.
seccomp_sandbox=NO
"""
# curl's words for what it asks the server: EPRT, PORT, EPSV, PASV. It would otherwise take no address out of PASV's reply.
WAYS = {"EPRT": ["-P", "-"], "PORT": ["-P", "-", "--disable-eprt"], "EPSV": [],
        "PASV": ["--disable-epsv", "--no-ftp-skip-pasv-ip"]}
WAYS6 = {name: WAYS[name] for name in ("EPRT", "EPSV")}


class FtpCase(GatewayCase):
    rules = rules(
        helpers=["ftp"], raw=["{ id: ftp, proto: tcp, dport: [21, 2121], helper: ftp }"],
        prerouting=[f"{{ id: ftp4, in: outside, proto: tcp, dport: 21, dnat: {INSIDE}, hairpin: true }}",
                    f'{{ id: ftp6, in: outside, proto: tcp, dport: 21, dnat: "{INSIDE6}" }}',
                    f'{{ id: other, in: outside, proto: tcp, dport: 2121, dnat: "{INSIDE}:21" }}'])

    def serve(self, side):
        """The server reads and writes as the user ftp, who has to get at the files."""
        self.lab.directory.chmod(0o711)
        self.files.chmod(0o755)
        (self.files / "incoming").mkdir()
        run("chown", "ftp", self.files / "incoming")
        os.makedirs("/run/vsftpd/empty", exist_ok=True)
        settings = self.lab.directory / "vsftpd.conf"
        settings.write_text(VSFTPD.format(root=self.files))
        self.lab.spawn(side, "vsftpd", settings)
        self.assertTrue(self.lab.listening(side, 21))

    def fetches(self, client, urls):
        """Every URL in every way of its family, and what curl says of it to the server."""
        for url in urls:
            for name, words in (WAYS6 if "[" in url else WAYS).items():
                with self.subTest(client=client, url=url, way=name):
                    before = self.lab.rule_counts()["data"]
                    self.assert_got(self.curl(client, *words, url))
                    asked = re.findall(r"^> (EPRT|PORT|EPSV|PASV)\b", self.said, re.M)
                    self.assertEqual(asked, [name])
                    self.assertGreater(self.lab.rule_counts()["data"], before)

    def sources(self):
        """Address and port that data connections come from."""
        return {(flow["orig"]["src"], flow["orig"]["sport"])
                for flow in self.lab.ctl_json("conntrack", "-L") if "master" in flow}

    def lftp(self, side, address, commands, passive):
        settings = (f"set ftp:passive-mode {'on' if passive else 'off'}; set ftp:prefer-epsv no; "
                    "set ftp:fix-pasv-address no; set ftp:verify-address yes; "
                    "set ftp:verify-port yes; "
                    "set net:max-retries 1; set net:timeout 10; ")
        return self.lab.host(side, "lftp", "--norc", "-c", f"{settings}open ftp://{address}; {commands}",
                             check=False)

    def exchange(self, side, address):
        """Sixteen files on four control connections at once, and one upload; passive, then active."""
        many = self.files / "many"
        many.mkdir()
        for number in range(16):
            (many / f"file{number}").write_bytes(os.urandom(1000 + 40_000 * number))
        for passive in (True, False):
            with self.subTest(address=address, passive=passive):
                name = "passive" if passive else "active"
                target = self.lab.directory / name
                done = self.lftp(side, address, f"mirror -P 4 many {target}; "
                                 f"put -O incoming {self.files / 'large'} -o {name}", passive)
                self.assertEqual(done.returncode, 0, done.stderr)
                for file in many.iterdir():
                    self.assertEqual((target / file.name).read_bytes(), file.read_bytes(), file.name)
                self.assert_got((self.files / "incoming" / name).read_bytes())


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
@needs("vsftpd", "curl")
class Ftp(FtpCase):
    def test_a_server_outside_through_masquerade(self):
        self.serve("outside")
        self.fetches("inside", [f"ftp://{SERVER}/large", f"ftp://[{SERVER6}]/large"])
        # Active data connections come from port 20 of the server, and to the box's address.
        self.assertIn((SERVER, 20), self.sources())
        for flow in self.flows(src=SERVER, sport=20):
            self.assertEqual((flow["orig"]["dst"], flow["reply"]["src"]), (PUBLIC, INSIDE))
            self.assertEqual(flow["master"]["dport"], 21)

    @needs("lftp")
    def test_many_files_at_once_through_masquerade(self):
        self.serve("outside")
        self.exchange("inside", SERVER)

    def test_a_server_inside_through_a_forwarded_port(self):
        self.serve("inside")
        self.fetches("outside", [f"ftp://{PUBLIC}/large", f"ftp://[{PUBLIC6}]/large",
                                 f"ftp://{PUBLIC}:2121/large"])
        # The server's active data connections leave under the address that the client knows.
        active = self.flows(src=INSIDE, dst=SERVER, sport=20)
        self.assertTrue(active)
        for flow in active:
            self.assertEqual(flow["reply"]["dst"], PUBLIC)
        self.assert_got(self.curl("outside", *WAYS["PASV"], f"ftp://{PUBLIC}/large"))
        self.assertRegex(self.said, r"227 Entering Passive Mode \(" + PUBLIC.replace(".", ",") + ",")

    @needs("lftp")
    def test_many_files_at_once_through_a_forwarded_port(self):
        self.serve("inside")
        self.exchange("outside", PUBLIC)

    def test_a_server_inside_under_its_public_address(self):
        self.serve("inside")
        self.fetches("inside", [f"ftp://{PUBLIC}/large"])

    def test_nothing_opens_without_the_helper(self):
        without = self.lab.config.read_text().replace("dport: [21, 2121], helper", "dport: 9, helper")
        self.assertEqual(self.lab.apply(without).returncode, 0)
        self.serve("inside")
        for words in (WAYS["EPSV"], WAYS["PASV"]):
            self.assertIsNone(self.curl("outside", "-m", "5", *words, f"ftp://{PUBLIC}/large"))
        self.assertEqual(self.sources(), set())


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
@needs("vsftpd", "lftp")
class FtpOnTwoWorkers(FtpCase):
    workers = 2

    def test_many_files_at_once_through_masquerade(self):
        self.serve("outside")
        self.exchange("inside", SERVER)

    def test_many_files_at_once_through_a_forwarded_port(self):
        self.serve("inside")
        self.exchange("outside", PUBLIC)


if __name__ == "__main__":
    unittest.main()
