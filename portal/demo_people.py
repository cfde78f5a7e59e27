"""The invented people of the demo. Nobody of them exists; their addresses end in .example, where no mail arrives."""

from dataclasses import dataclass

DOMAIN = "demo.lightsout.example"
COHORT = "aws-ml-demo"


@dataclass(frozen=True)
class Person:
    name: str
    short: str  # of the address, and what the demo's other files call them
    zone: str = "Asia/Yangon"

    @property
    def email(self):
        return f"{self.short}@{DOMAIN}"


INSTRUCTOR = Person("Lwin Moe Aye", "lwin")
ADMIN = Person("Hazel Ong", "hazel", "Asia/Singapore")

# The first one has the card on the sign-in page.
STUDENTS = (
    Person("Thiri Hlaing", "thiri"),
    Person("Arif Rahman", "arif", "Asia/Jakarta"),
    Person("Aye Chan Myint", "ayechan"),
    Person("Daniel Tan", "daniel", "Asia/Singapore"),
    Person("Ei Phyu Sin", "eiphyu"),
    Person("Hnin Yu Wai", "hnin"),
    Person("Htet Wai Yan", "htet"),
    Person("Khin Lay Nwe", "khin"),
    Person("Kyaw Zin Htet", "kyaw"),
    Person("Linh Pham", "linh", "Asia/Ho_Chi_Minh"),
    Person("May Thazin", "may"),
    Person("Mei Lin Chua", "meilin", "Asia/Singapore"),
    Person("Min Khant Zaw", "minkhant"),
    Person("Moe Sandar", "moe"),
    Person("Nandar Oo", "nandar"),
    Person("Nurul Iman", "nurul", "Asia/Kuala_Lumpur"),
    Person("Priya Nair", "priya", "Asia/Singapore"),
    Person("Pyae Sone Kyaw", "pyae"),
    Person("Rahul Desai", "rahul", "Asia/Kolkata"),
    Person("Somchai Wattana", "somchai", "Asia/Bangkok"),
    Person("Su Myat Noe", "sumyat"),
    Person("Thura Naing", "thura"),
    Person("Ye Yint Aung", "yeyint"),
    Person("Zaw Lin Tun", "zaw"),
)

# They did not come yet.
INVITED = (Person("Aung Ko Ko", "aungko"), Person("Thandar Win", "thandar"))
