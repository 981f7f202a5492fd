"""What people and branches are called on the pages: roles, powers, and what the audit trail tells."""

from collections.abc import Mapping

from access.audit import Event
from access.principal import Power
from access.rights import Role

ROLE_WORDS: Mapping[Role, str] = {
    Role.MEMBER: "学员",
    Role.TRAINER: "培训员",
    Role.LIAISON: "联络员",
    Role.ADMINISTRATOR: "管理员",
}

POWER_WORDS: Mapping[Power, str] = {
    Power.READ: "查阅：检索和阅读您能看到的文献",
    Power.WRITE: "办理：交材料、共享、撤下",
    Power.MANAGE: "管理：人员、支部、共建",
}

ACTION_WORDS: Mapping[str, str] = {
    "attempt.begin": "开始了一次作答",
    "attempt.mark": "评定了一道题的得分",
    "attempt.submit": "交了卷",
    "audit.export": "导出了操作记录",
    "audit.trim": "清理了到期的操作记录",
    "ballot.call": "发起了先进典型评选",
    "ballot.close": "评选到时间截止并计票",
    "ballot.end": "提前结束了评选",
    "ballot.nominate": "推荐了案例参加评选",
    "ballot.take_back": "收回了参加评选的案例",
    "ballot.vote": "代表支部投了票",
    "branch.change": "修改了组织",
    "branch.found": "新建了组织",
    "branch.restore": "恢复了组织",
    "branch.retire": "停用了组织",
    "case.adopt": "代表支部借鉴了案例",
    "case.adoption_drop": "删除了借鉴案例的记录",
    "case.adoption_move": "更新了借鉴案例的进展",
    "case.approve": "审核通过了案例",
    "case.attach": "给案例加了附件",
    "case.begin": "开始写案例",
    "case.caption": "改了附件的说明",
    "case.detach": "移除了案例的附件",
    "case.drop": "删除了案例草稿",
    "case.feedback": "对案例提了反馈",
    "case.feedback_drop": "收回了对案例的反馈",
    "case.give_back": "退回了案例",
    "case.ledger": "导出了案例台账",
    "case.publish": "发布了案例",
    "case.put_back": "把案例的一栏改回原来的写法",
    "case.reopen": "修改了审核过的案例，退回草稿",
    "case.submit": "提交了案例审核",
    "case.withdraw": "撤下了案例",
    "case_question.answer": "代表支部答复了求助",
    "case_question.ask": "代表支部发出了求助",
    "case_question.audience": "改了求助发给谁",
    "case_question.close": "了结了求助",
    "case_question.take_back": "收回了对求助的答复",
    "document.add": "交入了文献",
    "document.copy": "复制了文献",
    "document.original": "下载了原件",
    "document.read": "阅读了文献",
    "document.reshare": "转发了文献",
    "document.share": "设置了文献的共享范围",
    "document.take_over": "接管了文献",
    "document.unshare": "收回了文献的共享",
    "document.withdraw": "撤下了文献",
    "exam.end": "结束了一场测验",
    "exam.export": "导出了测验成绩",
    "exam.give": "发出了试卷",
    "exam.measure": "用实测更新了试题的难度",
    "group.dissolve": "解散了工作组",
    "group.drop": "从工作组移出了成员",
    "group.make": "新建了工作组",
    "group.put": "向工作组加入了成员",
    "paper.discard": "删除了试卷",
    "paper.export": "导出了试卷",
    "paper.make": "组成了试卷",
    "paper.order": "调整了试卷的题序",
    "paper.points": "修改了试卷的分值",
    "paper.replace": "换了试卷里的题",
    "partnership.agree": "同意了共建",
    "partnership.end": "结束了共建",
    "partnership.liaison": "确定了共建联络员",
    "partnership.propose": "提出了共建",
    "password.change": "修改了密码",
    "password.reset": "重置了密码",
    "person.activate": "启用了账号",
    "person.add": "新建了账号",
    "person.deactivate": "停用了账号",
    "person.erase": "注销了账号",
    "person.export": "导出了人员名单",
    "person.invite": "发出了邀请",
    "person.link": "关联了单位账号",
    "person.operator": "设置了系统管理员",
    "person.rename": "修改了姓名",
    "person.roles": "设置了人员的角色",
    "person.uninvite": "收回了邀请",
    "question.add": "向题库加入了试题",
    "question.approve": "通过了试题",
    "question.edit": "修改了试题",
    "question.export": "导出了试题",
    "question.retire": "停用了试题",
    "question.review": "把试题送回审核",
    "question.stale": "试题所依据的材料失效，转为待审",
    "second_factor.drop": "取消了两步验证",
    "second_factor.recovery": "用了一个恢复码",
    "second_factor.set": "设置了两步验证",
    "session.begin": "登录",
    "session.end": "退出",
    "session.end_others": "退出了其他设备",
    "session.refuse": "一次登录或验证没有通过",
    "token.end": "收回了访问令牌",
    "token.make": "新建了访问令牌",
}
"""What was done, by the `action` of an event."""

_HOW = {"password": "用密码", "invitation": "接受邀请后", "provider": "用单位账号"}


def event_words(event: Event) -> str:
    """What an entry of the trail tells, as one reads it of oneself.

    >>> event_words(Event(1, "", "p", None, "session.begin", "person", "p", {"how": "password"}))
    '用密码登录'
    """
    how = _HOW.get(str(event.detail.get("how")), "") if event.action == "session.begin" else ""
    return how + ACTION_WORDS.get(event.action, event.action)
